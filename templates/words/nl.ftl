# Nederlands. Ontvangers heten "u", eigen medewerkers "je". Taalniveau B1: korte zinnen, gewone woorden.
# Een tekst die van een getal afhangt staat op eigen regels, zoals bij `ago`; op één regel begrijpt Fluent hem niet.

language-name = Nederlands

## Tijd en maat

date = { $day } { $month ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
  } { $year }
ago = { $unit ->
    [moment] zojuist
    [minutes] { $n ->
        [one] één minuut geleden
       *[other] { $n } minuten geleden
      }
    [hours] { $n ->
        [one] één uur geleden
       *[other] { $n } uur geleden
      }
   *[days] { $n ->
        [one] één dag geleden
       *[other] { $n } dagen geleden
      }
  }
decimal-comma = ,
size = { $number } { $unit ->
    [B] B
    [kB] kB
   *[MB] MB
  }

## Op elke pagina

skip = Naar de inhoud
portal-of = Beveiligde berichten
footer = Deze pagina is van { $organisation }.
error-title = Fout: { $title }

## De link openen

start-title = Beveiligd bericht
start-from = Van { $sender }
start-safe = Dit bericht is beveiligd. Alleen u kunt het lezen.
start-until = U kunt het lezen tot en met { $date }.
reference = Kenmerk { $reference }
reference-hint = Dit kenmerk staat ook in de e-mail die u kreeg. Is het niet hetzelfde? Ga dan niet verder.

ask-password = We sturen een wachtwoord naar uw e-mailadres { $address }. Met dat wachtwoord opent u het bericht.
send-password = Stuur mijn wachtwoord
password-sent = We hebben om { $clock } uur een wachtwoord gestuurd naar { $address }.
password-wait = Het kan een paar minuten duren voordat de e-mail er is. Kijk ook bij ongewenste e-mail. Het wachtwoord werkt { $minutes } minuten.
enter-password = Voer wachtwoord in
password-hint = 12 letters en cijfers, zoals k7mp3xqa9dtz

ask-code = We sturen een sms-code naar uw mobiele nummer { $phone }. Met die code opent u het bericht.
phone-wrong = Is dit niet uw nummer? Vraag de afzender dan om het bericht opnieuw te sturen, met het goede nummer.
send-code = Stuur mijn SMS-code
code-sent = We hebben om { $clock } uur een sms gestuurd naar { $phone }.
code-unsure = We weten niet zeker of de sms naar { $phone } verstuurd is. Krijgt u hem binnen een minuut? Vul dan de code in. Krijgt u niets? Vraag dan een nieuwe code aan.
code-undelivered = De sms is niet aangekomen op { $phone }.
code-undelivered-do = Klopt het nummer? Zet uw telefoon aan en vraag een nieuwe code aan. Klopt het niet? Vraag de afzender dan om het nummer te wijzigen.
code-wait = De code werkt { $minutes } minuten.
enter-code = Voer SMS-code in
code-hint = 6 cijfers, zoals 042815

continue = Doorgaan
another-password = Geen wachtwoord gekregen?
another-code = Geen sms gekregen?
send-another = Klik hier om een nieuwe te ontvangen
show = Toon
hide = Verberg

fault-wrong-password = Dit wachtwoord klopt niet. { $n ->
    [one] U kunt het nog één keer proberen.
   *[other] U kunt het nog { $n } keer proberen.
  }
fault-wrong-code = Deze code klopt niet. { $n ->
    [one] U kunt het nog één keer proberen.
   *[other] U kunt het nog { $n } keer proberen.
  }
fault-dead-password = Dit wachtwoord werkt niet meer. U hebt te vaak een verkeerd wachtwoord ingevuld. Vraag een nieuw wachtwoord aan.
fault-dead-code = Deze code werkt niet meer. U hebt te vaak een verkeerde code ingevuld. Vraag een nieuwe code aan.
fault-none-password = Dit wachtwoord is verlopen of al gebruikt. Vraag een nieuw wachtwoord aan.
fault-none-code = Deze code is verlopen of al gebruikt. Vraag een nieuwe code aan.
fault-empty-password = Vul het wachtwoord in dat we u gestuurd hebben.
fault-empty-code = Vul de code in die we u gestuurd hebben.
fault-limit-password = U hebt te vaak een wachtwoord aangevraagd. Na { $clock } uur op { $date } kunt u weer een wachtwoord aanvragen.
fault-limit-code = U hebt te vaak een code aangevraagd. Na { $clock } uur op { $date } kunt u weer een code aanvragen.
fault-again = Er waren te veel pogingen tegelijk. Deze telt niet mee. Probeer het opnieuw.
fault-sms-later = De sms kon niet verstuurd worden. Na { $clock } uur kunt u het opnieuw proberen. Het bericht is niet weg.
fault-sms-refused = Naar dit nummer kan geen sms gestuurd worden. Vraag de afzender om het bericht opnieuw te sturen, met een ander nummer.
fault-sms-stopped = U hebt de sms'jes van deze afzender gestopt. Daarom komt er geen code aan. Vraag de afzender om het bericht opnieuw te sturen, met een ander nummer.
fault-sms-unreachable = Uw telefoon is nu niet bereikbaar. Zet hem aan en probeer het over een paar minuten opnieuw.
fault-sms-country = Naar het land van dit nummer sturen we geen sms. Vraag de afzender om het bericht opnieuw te sturen, met een ander nummer.
fault-sms-spent = Er zijn vandaag te veel sms'jes verstuurd. Na { $clock } uur op { $date } kunt u weer een code aanvragen. Heeft het haast? Bel dan de afzender.
locked-title = Bericht tijdelijk op slot
locked = Er is te vaak een verkeerd wachtwoord of een verkeerde code ingevuld. Daarom is het bericht op slot.
locked-until = Na { $clock } uur op { $date } kunt u het weer proberen.
locked-sender = We hebben de afzender een e-mail gestuurd. Het bericht is niet weg.

## Het bericht

message-at = { $date }, { $clock } uur, { $ago }
message-from = Van
message-date = Verzonden
no-subject = (geen onderwerp)
message-text = Bericht
message-no-text = Dit bericht heeft geen tekst.
message-own-page = Toon de tekst op een eigen pagina
message-too-complex = De opmaak van dit bericht is te ingewikkeld om veilig te tonen. Daarom ziet u alleen de tekst.
message-text-cut = Dit bericht is te lang om hier helemaal te tonen. Hieronder kunt u de hele tekst downloaden.
message-whole-text = hele tekst
files = { $n ->
    [one] Eén bijlage
   *[other] { $n } bijlagen
  }
pictures = { $n ->
    [one] Eén afbeelding uit de tekst
   *[other] { $n } afbeeldingen uit de tekst
  }
download = Downloaden
download-all = Alles downloaden
files-archive = bijlagen
view = Bekijken
view-back = Terug naar het bericht
view-cut = Dit bestand is te lang om hier helemaal te tonen. U kunt het downloaden.
unshown-title = Dit bestand kunnen we hier niet tonen
unshown = Ga terug naar het bericht en download het bestand.
leave = Sluiten
conversation = Gesprek
said-by-you = Uw antwoord
reply = Beantwoorden
reply-title = Uw antwoord
reply-to = Uw antwoord gaat beveiligd naar { $sender }. U krijgt een kopie op deze pagina.
reply-text = Bericht
reply-files = Bestanden meesturen (niet verplicht)
reply-files-hint = Hoogstens { $n } bestanden, samen hoogstens { $size }.
reply-send = Antwoord versturen
reply-sent = Uw antwoord is verstuurd. U ziet het onder “Gesprek”.
fault-reply-empty = Schrijf eerst een bericht, of kies een bestand. Er is nog niets verstuurd.
fault-reply-large = Uw bestanden zijn te groot. Samen mogen ze hoogstens { $n } MB zijn. Er is nog niets verstuurd. Kies kleinere bestanden.
fault-reply-many = Dit zijn te veel bestanden. U kunt er hoogstens { $n } tegelijk sturen. Er is nog niets verstuurd.
fault-reply-long = Uw bericht is te lang. Maak het korter, of stuur het als bestand. Er is nog niets verstuurd.
fault-reply-often = U hebt al heel vaak geantwoord op dit bericht. Vraag de afzender om u een nieuw bericht te sturen.
left-title = Bericht gesloten
left = Het bericht is gesloten op dit apparaat. Wilt u het weer lezen? Klik dan op de link in de e-mail.

## Geen bericht, geen toegang

gone-title = Deze link werkt niet
gone = Hier is geen bericht te lezen. Dat kan komen doordat het bericht verlopen is, of doordat de link niet helemaal is overgenomen.
gone-link = Klik in de e-mail op de knop, of neem de hele link over.
gone-ask = Werkt de link nog steeds niet? Vraag de afzender dan om het bericht opnieuw te sturen.
closed-title = Open het bericht opnieuw
closed = U bent te lang weg geweest, of u gebruikt een ander apparaat. Daarom is het bericht gesloten.
closed-again = Klik op de link in de e-mail die u kreeg. Vraag daarna een nieuw wachtwoord of een nieuwe code aan.
home-title = Beveiligde berichten
home = Hier leest u berichten die { $organisation } u beveiligd gestuurd heeft.
home-how = Klik op de knop in de e-mail die u kreeg. Daarna komt u vanzelf bij het bericht.

## Is een e-mail echt?

check-title = Is deze e-mail echt?
check-link = Controleren of een e-mail echt is
check-how = In elke e-mail met een link naar een bericht staat een kenmerk. Vul het hier in. Dan ziet u of { $organisation } die e-mail gestuurd heeft.
check-field = Kenmerk uit de e-mail
check-hint = 8 letters en cijfers, zoals ABCD-2345
check-button = Controleren
check-faulty = Dit is geen kenmerk. Een kenmerk heeft 8 letters en cijfers, zonder de letters I en O en zonder de cijfers 0 en 1.
check-known = Het kenmerk { $reference } is van { $organisation }. De e-mail met dit kenmerk is gestuurd op { $date }.
check-known-do = Kijk ook naar de knop in de e-mail. Die moet naar { $host } gaan. Gaat de knop naar een ander adres? Klik dan niet: iemand kan het kenmerk hebben overgenomen.
check-unknown = Het kenmerk { $reference } kennen we niet.
check-unknown-why = Kijk of u het goed hebt overgenomen. Is het bericht verlopen? Dan kennen we het kenmerk ook niet meer.
check-unknown-do = Twijfelt u? Klik dan niet op de knop in de e-mail. Bel de afzender op een nummer dat u al kent.

## Wat niet kan

refused-form-title = Dit formulier werkt niet meer
refused-form = De pagina was misschien te lang open. Klik opnieuw op de link in de e-mail.
refused-request-title = Deze vraag begrijpen we niet
refused-request = Ga terug naar de vorige pagina en probeer het opnieuw.
refused-missing-title = Deze pagina is er niet
refused-missing = Klik op de link in de e-mail die u kreeg.
refused-method-title = Dit kan hier niet
refused-method = Ga terug naar de vorige pagina en probeer het opnieuw.
refused-large-title = Dit is te veel
refused-large = Er is meer ingevuld dan deze pagina aankan. Ga terug en probeer het opnieuw.
refused-host-title = Dit adres hoort niet bij ons
refused-host = Klik op de link in de e-mail die u kreeg.
refused-busy-title = Het is nu te druk
refused-busy = Wacht een minuut en probeer het opnieuw.
refused-often-title = Te veel pogingen
refused-often = Wacht een paar minuten en probeer het opnieuw.
refused-down-title = Het lukt nu niet
refused-down = Er is een storing. Het bericht is niet weg. Probeer het over een paar minuten opnieuw.
refused-damaged-title = Het bericht kan niet geopend worden
refused-damaged = Een deel van het bericht is beschadigd. Vraag de afzender om het opnieuw te sturen.
refused-error-title = Er ging iets mis
refused-error = Het ligt niet aan u. Probeer het over een paar minuten opnieuw.

## Nummers invullen (eigen medewerkers)

numbers-title = Mobiel nummer invullen
numbers-why = { $n ->
    [one] Je bericht wacht tot het nummer bekend is. De ontvanger krijgt een code per sms om het te openen.
   *[other] Je bericht wacht tot alle nummers bekend zijn. De ontvangers krijgen een code per sms om het te openen.
  }
numbers-subject = Bericht: { $subject }
numbers-at = Van { $date }, { $clock } uur
numbers-others = { $n ->
    [one] Er wacht nog één ontvanger. Die krijgt het bericht tegelijk.
   *[other] Er wachten nog { $n } ontvangers. Die krijgen het bericht tegelijk.
  }
numbers-until = { $n ->
    [one] Vul het nummer in vóór { $date }. Daarna wordt het bericht niet meer verzonden.
   *[other] Vul de nummers in vóór { $date }. Daarna wordt het bericht niet meer verzonden.
  }
number-of = Mobiel nummer van { $address }
number-hint = Bijvoorbeeld 06 12345678 of +32 470 12 34 56
numbers-send = Opslaan en verzenden
numbers-kept = { $n ->
    [one] We onthouden het nummer voor volgende berichten van de hele organisatie.
   *[other] We onthouden de nummers voor volgende berichten van de hele organisatie.
  }
numbers-faults = { $n ->
    [one] Eén nummer klopt nog niet. Er is nog niets verzonden.
   *[other] { $n } nummers kloppen nog niet. Er is nog niets verzonden.
  }
phone-empty = Vul een mobiel nummer in.
phone-invalid = Dit is geen bestaand telefoonnummer. Controleer de cijfers.
phone-no-sms = Op dit nummer komt geen sms aan. Vul een mobiel nummer in.
phone-country = Naar dit land sturen we geen sms. Vul een ander nummer in.
decide-title = Hoe moet je bericht verzonden worden?
decide-for = { $n ->
    [one] Het gaat naar één ontvanger.
   *[other] Het gaat naar { $n } ontvangers.
  }
decide-one = Verzenden met wachtwoord
decide-code = altijd met sms-code
decide-protected = blijft beveiligd
decide-one-hint = { $n ->
    [one] De ontvanger krijgt een wachtwoord in een tweede e-mail.
   *[other] De ontvangers krijgen een wachtwoord in een tweede e-mail.
  }
decide-one-codes = { $n ->
    [one] Eén ontvanger krijgt toch een code per sms: dat moet van je organisatie.
   *[other] { $n } ontvangers krijgen toch een code per sms: dat moet van je organisatie.
  }
decide-two = Verzenden met sms-code
decide-two-hint = { $n ->
    [one] De ontvanger krijgt een code per sms. Kennen we zijn mobiele nummer nog niet? Dan vragen we het je.
   *[other] De ontvangers krijgen een code per sms. Kennen we een mobiel nummer nog niet? Dan vragen we het je.
  }
openly-title = Zonder beveiliging verzenden
openly-what = Het bericht gaat dan weg zoals je het schreef. Onderweg en in de mailbox van de ontvanger is het niet extra beveiligd.
openly-some = { $n ->
    [one] Voor één ontvanger moet het beveiligd blijven. Die krijgt een e-mail met een link.
   *[other] Voor { $n } ontvangers moet het beveiligd blijven. Zij krijgen een e-mail met een link.
  }
openly-reason = Waarom kan het zonder beveiliging?
openly-reason-hint = Je organisatie bewaart je reden, met je naam en het tijdstip.
openly-send = Zonder beveiliging verzenden
reason-empty = Vul in waarom het zonder beveiliging kan.
reason-long = De reden is te lang. Gebruik hooguit 300 tekens.
openly-sure = Zonder beveiliging verzenden?
openly-for = Zonder beveiliging gaat het naar:
openly-why = Je reden: { $reason }
openly-yes = Ja, zonder beveiliging verzenden
openly-back = Terug: kies anders
openly-done = Je bericht gaat nu weg zoals je het schreef, zonder extra beveiliging.
openly-done-others = Moet het voor iemand beveiligd blijven? Die krijgt een e-mail met een link.
decide-done-title = Je bericht is verzonden
numbers-done-title = Je bericht is verzonden
numbers-done = Alle ontvangers krijgen nu een e-mail met een link naar je bericht.
numbers-done-kept = De nummers zijn bewaard. Je hoeft ze niet opnieuw in te vullen.
numbers-late-title = Je bericht is niet verzonden
numbers-late = Het mobiele nummer is niet op tijd ingevuld. Je kunt het nu niet meer invullen.
numbers-late-who = We hebben je een e-mail gestuurd. Daarin staat wie het bericht niet heeft gekregen.
numbers-late-do = Is het bericht nog nodig? Stuur het dan opnieuw.

## E-mails

mail-from = { $sender } (via { $organisation })
mail-automatic = Deze e-mail is automatisch gemaakt.

notification-subject = Beveiligd bericht: { $subject }
notification-subject-none = Beveiligd bericht van { $sender }
notification-preheader = { $sender } stuurde u een beveiligd bericht.
notification-intro = { $sender } ({ $address }) heeft u een beveiligd bericht gestuurd.
notification-about = Onderwerp: { $subject }
notification-one = Op de pagina vraagt u een wachtwoord aan. Dat komt in een tweede e-mail.
notification-two = Op de pagina vraagt u een code aan. Die komt per sms.
open-message = Bericht openen
notification-until = U kunt het bericht lezen tot en met { $date }.
notification-why = U krijgt deze link omdat het bericht gegevens bevat die { $organisation } wil beschermen.
notification-trust = Vertrouwt u deze e-mail niet? Klik dan niet, maar bel de afzender op een nummer dat u al kent.
notification-check = U kunt het kenmerk ook controleren: typ zelf { $host }/check in uw browser.
notification-reference = Kenmerk: { $reference }. Op de pagina ziet u hetzelfde kenmerk.
mail-files = Bij dit bericht horen bestanden. Die zijn beveiligd.
download-files = Bestanden downloaden
mail-files-until = U kunt de bestanden downloaden tot en met { $date }.
notification-answer = Antwoordt u op deze e-mail? Dan gaat uw antwoord zonder extra beveiliging naar de afzender.

password-subject = Uw wachtwoord
password-preheader = Hiermee opent u het beveiligde bericht.
password-intro = Met dit wachtwoord opent u het beveiligde bericht:
password-once = Het werkt één keer, tot { $clock } uur op { $date }.
password-copy = Vul het in op de pagina waar u het hebt aangevraagd.
password-reference = Kenmerk: { $reference }. Op de pagina ziet u hetzelfde kenmerk.
password-not-asked = Hebt u geen wachtwoord aangevraagd? Dan hoeft u niets te doen. Geef het wachtwoord aan niemand.

number-subject = Nummer nodig voor je bericht: { $subject }
number-subject-none = Nummer nodig voor je bericht
number-preheader = Je bericht is nog niet verzonden.
number-intro = { $n ->
    [one] Je bericht is nog niet verzonden: we missen het mobiele nummer van één ontvanger.
   *[other] Je bericht is nog niet verzonden: we missen het mobiele nummer van { $n } ontvangers.
  }
number-intro-some = { $n ->
    [one] Je bericht is nog niet verzonden aan één ontvanger: we missen het mobiele nummer. Andere ontvangers hebben het bericht al.
   *[other] Je bericht is nog niet verzonden aan { $n } ontvangers: we missen hun mobiele nummer. Andere ontvangers hebben het bericht al.
  }
number-why = Dit bericht moet met een sms-code beveiligd worden:
number-missing = Geen nummer bekend van:
number-more = { $n ->
    [one] en nog één andere; de pagina toont ze allemaal
   *[other] en nog { $n } andere; de pagina toont ze allemaal
  }
number-others = { $n ->
    [one] Er wacht nog één andere ontvanger tot je dit hebt ingevuld.
   *[other] Er wachten nog { $n } andere ontvangers tot je dit hebt ingevuld.
  }
number-button = Nummer invullen
number-then = Na het invullen gaat je bericht meteen weg. Je hoeft het niet opnieuw te sturen.
number-until = Doe dit vóór { $date }. Daarna wordt het bericht niet verzonden.

report-about = Onderwerp: { $subject }
report-at = Het gaat om je bericht van { $date }, { $clock } uur.
report-reply = Dit is de technische melding die we kregen, voor je helpdesk:

not-sent-subject = Niet verzonden: { $subject }
not-sent-subject-none = Je bericht is niet verzonden
not-sent-preheader = Je beveiligde bericht is niet verzonden.
not-sent-intro = Je bericht is niet verzonden aan:
not-sent-number = Er is niet op tijd een mobiel nummer ingevuld of een keuze gemaakt. Daarom konden we het bericht niet veilig verzenden.
not-sent-do = Is het bericht nog nodig? Stuur het dan opnieuw, en vul het mobiele nummer in. Het oude bericht hebben we gewist.

not-notified-subject = Niet aangekomen: { $subject }
not-notified-subject-none = Je bericht is niet aangekomen
not-notified-preheader = De ontvanger kan je bericht niet lezen.
not-notified-intro = Je bericht is niet aangekomen bij { $recipient }.
not-notified-refused = De e-mail werd geweigerd door de mailserver van de ontvanger.
not-notified-given-up = We hebben dagenlang geprobeerd om de e-mail te bezorgen. Dat is niet gelukt.
not-notified-lost = De e-mail aan de ontvanger is bij ons verloren gegaan.
not-notified-do = Klopt het e-mailadres? Stuur het bericht dan opnieuw. Lukt het weer niet? Bel dan de ontvanger.
not-notified-do-lost = Stuur het bericht opnieuw. Lukt het weer niet? Bel dan je helpdesk.

delayed-subject = Nog niet aangekomen: { $subject }
delayed-subject-none = Je bericht is nog niet aangekomen
delayed-preheader = We blijven het proberen. Je hoeft niets te doen.
delayed-intro = Je bericht is nog niet aangekomen bij { $recipient }.
delayed-until = We blijven het proberen tot { $date }, { $clock } uur.
delayed-do = Je hoeft niets te doen. Lukt het niet? Dan krijg je van ons een e-mail. Heeft het haast? Bel dan de ontvanger.

relayed-subject = Verzonden: { $subject }
relayed-subject-none = Je bericht is verzonden
relayed-preheader = De ontvanger krijgt een e-mail met een link.
relayed-intro = We hebben een e-mail met de link naar je beveiligde bericht gestuurd aan { $recipient }.
relayed-means = Je krijgt deze e-mail omdat je mailprogramma om een bevestiging vroeg. De bevestiging betekent niet dat het bericht gelezen is.

reminder-subject = Herinnering: { $title }
reminder-intro = Dit is een herinnering. Heb je al gekozen of een nummer ingevuld? Dan hoef je niets te doen.
ask-subject = Kies hoe je bericht wordt verzonden: { $subject }
ask-subject-none = Kies hoe je bericht wordt verzonden
ask-preheader = Je bericht is nog niet verzonden.
ask-intro = Je bericht is nog niet verzonden: kies eerst hoe het verzonden wordt. Het is bestemd voor:
ask-button = Kiezen en verzenden
ask-then = Na je keuze gaat het bericht weg. Je hoeft het niet opnieuw te sturen.
ask-until = Doe dit vóór { $date }. Daarna wordt het bericht niet verzonden.

told-noticed-subject = Let op bij je bericht: { $subject }
told-noticed-subject-none = Let op bij je bericht
told-quarantined-subject = Je bericht wacht op controle: { $subject }
told-quarantined-subject-none = Je bericht wacht op controle
told-refused-subject = Niet verzonden: { $subject }
told-refused-subject-none = Je bericht is niet verzonden
told-expired-subject = Niet verzonden: { $subject }
told-expired-subject-none = Je bericht is niet verzonden
told-preheader-noticed = Je bericht is verzonden. Er staan gevoelige gegevens in.
told-preheader-quarantined = Je bericht is nog niet verzonden.
told-preheader-refused = Je bericht is tegengehouden.
told-preheader-expired = Je bericht is niet op tijd vrijgegeven.
told-noticed = Je bericht is gewoon verzonden, maar er staan gevoelige gegevens in. Het ging aan:
told-quarantined = Je bericht is nog niet verzonden: je organisatie bekijkt het eerst. Het is bestemd voor:
told-refused = Je bericht is niet verzonden. Je organisatie heeft het tegengehouden. Het was bestemd voor:
told-expired = Je bericht is niet verzonden. Niemand heeft het op tijd vrijgegeven. Het was bestemd voor:
told-more = { $n ->
    [one] en nog één andere ontvanger
   *[other] en nog { $n } andere ontvangers
  }
told-why = Dit is ons opgevallen:
told-policy = Dit volgt uit het beleid “{ $policy }”.
told-reason = De toelichting: { $reason }
told-do-noticed = Klopt dat? Dan hoef je niets te doen. Was het niet de bedoeling? Meld het dan bij je organisatie als datalek.
told-do-quarantined = Je hoeft niets te doen. Stuur het bericht niet opnieuw. Heeft het haast? Bel dan je helpdesk.
told-do-refused = Heb je vragen? Bel dan je helpdesk. We hebben het bericht gewist.
told-do-expired = Is het bericht nog nodig? Stuur het dan opnieuw. Het oude bericht hebben we gewist.
told-until = Is het bericht vóór { $date } niet vrijgegeven? Dan krijg je daarover een e-mail.

undelivered-subject = Sms niet aangekomen bij { $recipient }
undelivered-preheader = Controleer het mobiele nummer.
undelivered-intro = { $recipient } wil je beveiligde bericht openen, maar de sms met de code is niet aangekomen op { $phone }.
undelivered-do = Klopt dit nummer niet? Wijzig het dan op de statuspagina. Je hoeft het bericht niet opnieuw te sturen.
undelivered-wait = Klopt het wel? Dan stond de telefoon misschien uit. De ontvanger kan een nieuwe code aanvragen.
reply-footer = Dit antwoord schreef { $recipient } op de beveiligde pagina van { $organisation }. Antwoordt u? Dan gaat uw e-mail naar { $recipient }.
reply-footer-files = Zegel heeft de bijlagen niet op virussen gecontroleerd.
reply-not-sent-subject = Uw antwoord is niet aangekomen
reply-not-sent-intro = Uw antwoord is niet aangekomen bij { $sender }.
reply-not-sent-at = Het gaat om uw antwoord van { $date }, { $clock } uur.
reply-not-sent-do = Bel de afzender, of stuur hem zelf een e-mail. Een gewone e-mail is niet extra beveiligd.

locked-subject = Bericht tijdelijk op slot voor { $recipient }
locked-preheader = Er is te vaak een verkeerd wachtwoord of een verkeerde code ingevuld.
locked-intro = Bij je beveiligde bericht aan { $recipient } is te vaak een verkeerd wachtwoord of een verkeerde code ingevuld.
locked-open = Tot { $clock } uur op { $date } kan niemand het openen met deze link. Daarna kan de ontvanger het weer proberen.
locked-do = Vraag de ontvanger of dit klopt. Was het iemand anders? Dan kan diegene misschien bij de e-mail van de ontvanger.

## Sms: alleen gewone letters, de code vooraan

sms-code = { $code } is uw code voor het beveiligde bericht van { $organisation }. Geef hem aan niemand.

## De status van een bericht (eigen medewerkers), en een bericht dat ingetrokken is

status-title = Status van je bericht
status-link = Bekijk de status van je bericht
status-moment = { $date }, { $clock } uur
status-sent = Je bericht is verzonden. Het is te lezen tot en met { $date }.
status-held = Je bericht is nog niet aan iedereen verzonden. Het wacht op een mobiel nummer of op je keuze.
status-held-link = Vul het nummer in of maak je keuze
status-held-mail = Gebruik daarvoor de knop in de e-mail die je daarover kreeg.
status-waiting = Je bericht is nog niet verzonden: je organisatie bekijkt het eerst.
status-blocked = Je hebt dit bericht geblokkeerd. Niemand kan het nu lezen.
status-recalled = Je hebt dit bericht ingetrokken. Het is gewist: niemand kan het meer lezen. Hieronder zie je wat er daarvoor al gelezen was.
status-cancelled = Je hebt dit bericht ingetrokken voordat het verzonden was. Het is gewist.
status-gone = Dit bericht is verlopen of niet verzonden. Het is gewist.
status-openly = Een of meer ontvangers kregen het bericht zoals je het schreef, zonder extra beveiliging. Dat is niet terug te halen.
status-recipients = Ontvangers
status-read-by = { $n ->
    [0] Nog niemand heeft het bericht gelezen.
    [one] Eén van de { $total } ontvangers heeft het bericht gelezen.
   *[other] { $n } van de { $total } ontvangers hebben het bericht gelezen.
  }
status-read-by-one = De ontvanger heeft het bericht gelezen.
status-mail = E-mail met de link
status-mail-waits = nog niet verstuurd
status-mail-failed = Niet aangekomen
status-read = Bericht gelezen
status-not-yet = nog niet
status-file = Bestand { $n }
status-file-had = geopend of gedownload
status-phone = Mobiel nummer
status-number = Nummer wijzigen
status-number-then = De code die al onderweg was werkt dan niet meer. De ontvanger vraagt een nieuwe aan. We onthouden het nummer voor de hele organisatie.
status-number-save = Nummer opslaan
status-waiting-for = Wachten nog
status-day-title = Langer of korter bewaren
status-day = Laatste dag waarop het te lezen is
status-day-hint = Kies een dag van { $first } tot en met { $last }.
status-day-fault = Dit is geen dag die je kunt kiezen.
status-day-save = Dag opslaan
status-block-title = Blokkeren
status-block-what = Niemand kan het bericht dan lezen. Je kunt het later weer vrijgeven.
status-block = Bericht blokkeren
status-unblock-what = De ontvangers kunnen het bericht dan weer lezen met dezelfde link.
status-unblock = Bericht weer vrijgeven
status-recall-title = Intrekken
status-recall-what = We wissen het bericht voor alle ontvangers. Dat kan niet terug.
status-recall-read = Wie het gelezen heeft, kan het bewaard hebben.
status-cancel-title = Niet verzenden
status-cancel-what = We wissen het bericht. Niemand krijgt het.
status-sure = Ik weet dat dit niet terug kan
status-sure-fault = Zet eerst een vinkje. Er is nog niets gewist.
status-recall = Bericht intrekken en wissen
status-cancel = Niet verzenden en wissen
status-aside = Wie deze link heeft, kan het bericht intrekken. De inhoud staat niet op deze pagina. Geef de link aan niemand.
status-backups = Wis je het bericht of bewaar je het korter? In reservekopieën staat het dan nog tot de dag die het eerst had, versleuteld: alleen samen met de link in de e-mail van een ontvanger is het daarin te lezen.
withdrawn-title = U kunt dit bericht nu niet lezen
withdrawn = De afzender heeft dit bericht geblokkeerd of ingetrokken. U hebt niets verkeerd gedaan.
withdrawn-ask = Hebt u het bericht nodig, of wilt u weten waarom? Vraag het de afzender.
wrong-number-subject = Nummer klopt niet van { $recipient }
wrong-number-intro = { $recipient } kan je beveiligde bericht niet openen: het nummer { $phone } is niet van hem of haar.
wrong-number-do = Wijzig het nummer op de statuspagina. Je hoeft het bericht niet opnieuw te sturen.
wrong-number-button = Nummer wijzigen
wrong-number-ask = Bel de ontvanger op een nummer dat je al kent als je twijfelt. Ga niet af op een nummer uit een e-mail.
wrong-number = Klopt dit nummer niet?
wrong-number-what = We vragen de afzender om het nummer te wijzigen. Daarna kunt u hier een code aanvragen.
wrong-number-sure = Dit is niet mijn nummer
wrong-number-send = Laat het de afzender weten
wrong-number-told = We hebben om { $clock } uur op { $date } aan de afzender gevraagd om het nummer te wijzigen. Gebruik daarna dezelfde link.
fault-wrong-number = Zet eerst een vinkje bij “Dit is niet mijn nummer”.
