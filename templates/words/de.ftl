# Deutsch. Alle werden mit "Sie" angesprochen, Empfänger und eigene Mitarbeiter. Sprachniveau B1: kurze Sätze, einfache Wörter.
# Ein Text, der von einer Zahl abhängt, steht auf eigenen Zeilen, wie bei `ago`; auf einer Zeile versteht Fluent ihn nicht.

language-name = Deutsch

## Zeit und Größe

date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
  } { $year }
ago = { $unit ->
    [moment] gerade eben
    [minutes] { $n ->
        [one] vor einer Minute
       *[other] vor { $n } Minuten
      }
    [hours] { $n ->
        [one] vor einer Stunde
       *[other] vor { $n } Stunden
      }
   *[days] { $n ->
        [one] vor einem Tag
       *[other] vor { $n } Tagen
      }
  }
decimal-comma = ,
size = { $number } { $unit ->
    [B] B
    [kB] kB
   *[MB] MB
  }

## Auf jeder Seite

skip = Zum Inhalt
portal-of = Geschützte Nachrichten
footer = Diese Seite gehört zu { $organisation }.
error-title = Fehler: { $title }

## Den Link öffnen

start-title = Geschützte Nachricht
start-from = Von { $sender }
start-safe = Diese Nachricht ist geschützt. Nur Sie können sie lesen.
start-until = Sie können sie bis einschließlich { $date } lesen.
reference = Kennzeichen { $reference }
reference-hint = Dieses Kennzeichen steht auch in der E-Mail, die Sie bekommen haben. Ist es nicht dasselbe? Dann machen Sie nicht weiter.

ask-password = Wir senden ein Passwort an Ihre E-Mail-Adresse { $address }. Mit diesem Passwort öffnen Sie die Nachricht.
send-password = Mein Passwort senden
password-sent = Wir haben um { $clock } Uhr ein Passwort an { $address } gesendet.
password-wait = Es kann ein paar Minuten dauern, bis die E-Mail da ist. Sehen Sie auch im Spam-Ordner nach. Das Passwort gilt { $minutes } Minuten.
enter-password = Passwort eingeben
password-hint = 12 Buchstaben und Ziffern, zum Beispiel k7mp3xqa9dtz

ask-code = Wir senden einen SMS-Code an Ihre Handynummer { $phone }. Mit diesem Code öffnen Sie die Nachricht.
phone-wrong = Ist das nicht Ihre Nummer? Dann bitten Sie den Absender, die Nachricht noch einmal mit der richtigen Nummer zu senden.
send-code = Meinen SMS-Code senden
code-sent = Wir haben um { $clock } Uhr eine SMS an { $phone } gesendet.
code-unsure = Wir wissen nicht sicher, ob die SMS an { $phone } gesendet wurde. Kommt sie innerhalb einer Minute an? Dann geben Sie den Code ein. Kommt nichts an? Dann fordern Sie einen neuen Code an.
code-undelivered = Die SMS ist auf { $phone } nicht angekommen.
code-undelivered-do = Stimmt die Nummer? Dann schalten Sie Ihr Telefon ein und fordern Sie einen neuen Code an. Stimmt sie nicht? Dann bitten Sie den Absender, sie zu ändern.
code-wait = Der Code gilt { $minutes } Minuten.
enter-code = SMS-Code eingeben
code-hint = 6 Ziffern, zum Beispiel 042815

continue = Weiter
another-password = Kein Passwort bekommen?
another-code = Keine SMS bekommen?
send-another = Klicken Sie hier, um es noch einmal anzufordern
show = Anzeigen
hide = Verbergen

fault-wrong-password = Dieses Passwort stimmt nicht. { $n ->
    [one] Sie können es noch einmal versuchen.
   *[other] Sie können es noch { $n }-mal versuchen.
  }
fault-wrong-code = Dieser Code stimmt nicht. { $n ->
    [one] Sie können es noch einmal versuchen.
   *[other] Sie können es noch { $n }-mal versuchen.
  }
fault-dead-password = Dieses Passwort gilt nicht mehr. Sie haben zu oft ein falsches Passwort eingegeben. Fordern Sie ein neues Passwort an.
fault-dead-code = Dieser Code gilt nicht mehr. Sie haben zu oft einen falschen Code eingegeben. Fordern Sie einen neuen Code an.
fault-none-password = Dieses Passwort ist abgelaufen oder wurde schon benutzt. Fordern Sie ein neues Passwort an.
fault-none-code = Dieser Code ist abgelaufen oder wurde schon benutzt. Fordern Sie einen neuen Code an.
fault-empty-password = Geben Sie das Passwort ein, das wir Ihnen gesendet haben.
fault-empty-code = Geben Sie den Code ein, den wir Ihnen gesendet haben.
fault-limit-password = Sie haben zu oft ein Passwort angefordert. Nach { $clock } Uhr am { $date } können Sie wieder ein Passwort anfordern.
fault-limit-code = Sie haben zu oft einen Code angefordert. Nach { $clock } Uhr am { $date } können Sie wieder einen Code anfordern.
fault-again = Es gab zu viele Versuche gleichzeitig. Dieser zählt nicht. Versuchen Sie es noch einmal.
fault-sms-later = Die SMS konnte nicht gesendet werden. Nach { $clock } Uhr können Sie es noch einmal versuchen. Die Nachricht ist nicht verloren.
fault-sms-refused = An diese Nummer kann keine SMS gesendet werden. Bitten Sie den Absender, die Nachricht noch einmal mit einer anderen Nummer zu senden.
fault-sms-stopped = Sie haben die SMS dieses Absenders abbestellt. Deshalb kommt kein Code an. Bitten Sie den Absender, die Nachricht noch einmal mit einer anderen Nummer zu senden.
fault-sms-unreachable = Ihr Telefon ist jetzt nicht erreichbar. Schalten Sie es ein und versuchen Sie es in ein paar Minuten noch einmal.
fault-sms-country = In das Land dieser Nummer senden wir keine SMS. Bitten Sie den Absender, die Nachricht noch einmal mit einer anderen Nummer zu senden.
fault-sms-spent = Heute wurden zu viele SMS gesendet. Nach { $clock } Uhr am { $date } können Sie wieder einen Code anfordern. Ist es eilig? Dann rufen Sie den Absender an.
locked-title = Nachricht vorübergehend gesperrt
locked = Es wurde zu oft ein falsches Passwort oder ein falscher Code eingegeben. Deshalb ist die Nachricht gesperrt.
locked-until = Nach { $clock } Uhr am { $date } können Sie es wieder versuchen.
locked-sender = Wir haben dem Absender eine E-Mail gesendet. Die Nachricht ist nicht verloren.

## Die Nachricht

message-at = { $date }, { $clock } Uhr, { $ago }
message-from = Von
message-date = Gesendet
no-subject = (kein Betreff)
message-text = Nachricht
message-no-text = Diese Nachricht hat keinen Text.
message-own-page = Den Text auf einer eigenen Seite anzeigen
message-too-complex = Die Gestaltung dieser Nachricht ist zu kompliziert, um sie sicher anzuzeigen. Deshalb sehen Sie nur den Text.
message-text-cut = Diese Nachricht ist zu lang, um sie hier ganz anzuzeigen. Weiter unten können Sie den ganzen Text herunterladen.
message-whole-text = ganzer Text
files = { $n ->
    [one] Ein Anhang
   *[other] { $n } Anhänge
  }
pictures = { $n ->
    [one] Ein Bild aus dem Text
   *[other] { $n } Bilder aus dem Text
  }
download = Herunterladen
download-all = Alles herunterladen
files-archive = Anhänge
view = Ansehen
view-back = Zurück zur Nachricht
view-cut = Diese Datei ist zu lang, um sie hier ganz anzuzeigen. Sie können sie herunterladen.
unshown-title = Diese Datei können wir hier nicht anzeigen
unshown = Gehen Sie zurück zur Nachricht und laden Sie die Datei herunter.
leave = Schließen
conversation = Gespräch
said-by-you = Ihre Antwort
reply = Antworten
reply-title = Ihre Antwort
reply-to = Ihre Antwort geht geschützt an { $sender }. Sie bekommen eine Kopie auf dieser Seite.
reply-text = Nachricht
reply-files = Dateien mitsenden (freiwillig)
reply-files-hint = Höchstens { $n } Dateien, zusammen höchstens { $size }.
reply-send = Antwort senden
reply-sent = Ihre Antwort wurde gesendet. Sie sehen sie unter „Gespräch“.
fault-reply-empty = Schreiben Sie zuerst eine Nachricht oder wählen Sie eine Datei. Es wurde noch nichts gesendet.
fault-reply-large = Ihre Dateien sind zu groß. Zusammen dürfen sie höchstens { $n } MB groß sein. Es wurde noch nichts gesendet. Wählen Sie kleinere Dateien.
fault-reply-many = Das sind zu viele Dateien. Sie können höchstens { $n } auf einmal senden. Es wurde noch nichts gesendet.
fault-reply-long = Ihre Nachricht ist zu lang. Kürzen Sie sie oder senden Sie sie als Datei. Es wurde noch nichts gesendet.
fault-reply-often = Sie haben auf diese Nachricht schon sehr oft geantwortet. Bitten Sie den Absender, Ihnen eine neue Nachricht zu senden.
left-title = Nachricht geschlossen
left = Die Nachricht ist auf diesem Gerät geschlossen. Möchten Sie sie wieder lesen? Dann klicken Sie auf den Link in der E-Mail.

## Keine Nachricht, kein Zugang

gone-title = Dieser Link funktioniert nicht
gone = Hier gibt es keine Nachricht zu lesen. Vielleicht ist die Nachricht abgelaufen, oder der Link wurde nicht ganz kopiert.
gone-link = Klicken Sie in der E-Mail auf den Knopf oder kopieren Sie den ganzen Link.
gone-ask = Funktioniert der Link immer noch nicht? Dann bitten Sie den Absender, die Nachricht noch einmal zu senden.
closed-title = Öffnen Sie die Nachricht noch einmal
closed = Sie waren zu lange weg, oder Sie benutzen ein anderes Gerät. Deshalb ist die Nachricht geschlossen.
closed-again = Klicken Sie auf den Link in der E-Mail, die Sie bekommen haben. Fordern Sie danach ein neues Passwort oder einen neuen Code an.
home-title = Geschützte Nachrichten
home = Hier lesen Sie Nachrichten, die { $organisation } Ihnen geschützt gesendet hat.
home-how = Klicken Sie auf den Knopf in der E-Mail, die Sie bekommen haben. Dann kommen Sie von selbst zur Nachricht.

## Ist eine E-Mail echt?

check-title = Ist diese E-Mail echt?
check-link = Prüfen, ob eine E-Mail echt ist
check-how = In jeder E-Mail mit einem Link zu einer Nachricht steht ein Kennzeichen. Geben Sie es hier ein. Dann sehen Sie, ob { $organisation } diese E-Mail gesendet hat.
check-field = Kennzeichen aus der E-Mail
check-hint = 8 Buchstaben und Ziffern, zum Beispiel ABCD-2345
check-button = Prüfen
check-faulty = Das ist kein Kennzeichen. Ein Kennzeichen hat 8 Buchstaben und Ziffern, ohne die Buchstaben I und O und ohne die Ziffern 0 und 1.
check-known = Das Kennzeichen { $reference } ist von { $organisation }. Die E-Mail mit diesem Kennzeichen wurde am { $date } gesendet.
check-known-do = Sehen Sie sich auch den Knopf in der E-Mail an. Er muss zu { $host } führen. Führt er zu einer anderen Adresse? Dann klicken Sie nicht: Jemand kann das Kennzeichen kopiert haben.
check-unknown = Das Kennzeichen { $reference } kennen wir nicht.
check-unknown-why = Prüfen Sie, ob Sie es richtig übernommen haben. Ist die Nachricht abgelaufen? Dann kennen wir das Kennzeichen auch nicht mehr.
check-unknown-do = Sind Sie unsicher? Dann klicken Sie nicht auf den Knopf in der E-Mail. Rufen Sie den Absender unter einer Nummer an, die Sie schon kennen.

## Was nicht geht

refused-form-title = Dieses Formular funktioniert nicht mehr
refused-form = Die Seite war vielleicht zu lange offen. Klicken Sie noch einmal auf den Link in der E-Mail.
refused-request-title = Diese Anfrage verstehen wir nicht
refused-request = Gehen Sie zurück zur vorigen Seite und versuchen Sie es noch einmal.
refused-missing-title = Diese Seite gibt es nicht
refused-missing = Klicken Sie auf den Link in der E-Mail, die Sie bekommen haben.
refused-method-title = Das geht hier nicht
refused-method = Gehen Sie zurück zur vorigen Seite und versuchen Sie es noch einmal.
refused-large-title = Das ist zu viel
refused-large = Es wurde mehr eingegeben, als diese Seite verarbeiten kann. Gehen Sie zurück und versuchen Sie es noch einmal.
refused-host-title = Diese Adresse gehört nicht zu uns
refused-host = Klicken Sie auf den Link in der E-Mail, die Sie bekommen haben.
refused-busy-title = Im Moment ist zu viel los
refused-busy = Warten Sie eine Minute und versuchen Sie es noch einmal.
refused-often-title = Zu viele Versuche
refused-often = Warten Sie ein paar Minuten und versuchen Sie es noch einmal.
refused-down-title = Das geht im Moment nicht
refused-down = Es gibt eine Störung. Die Nachricht ist nicht verloren. Versuchen Sie es in ein paar Minuten noch einmal.
refused-damaged-title = Die Nachricht kann nicht geöffnet werden
refused-damaged = Ein Teil der Nachricht ist beschädigt. Bitten Sie den Absender, sie noch einmal zu senden.
refused-error-title = Etwas ist schiefgegangen
refused-error = Es liegt nicht an Ihnen. Versuchen Sie es in ein paar Minuten noch einmal.

## Nummern eingeben (eigene Mitarbeiter)

numbers-title = Handynummer eingeben
numbers-why = { $n ->
    [one] Ihre Nachricht wartet, bis die Nummer bekannt ist. Der Empfänger bekommt einen Code per SMS, um sie zu öffnen.
   *[other] Ihre Nachricht wartet, bis alle Nummern bekannt sind. Die Empfänger bekommen einen Code per SMS, um sie zu öffnen.
  }
numbers-subject = Nachricht: { $subject }
numbers-at = Vom { $date }, { $clock } Uhr
numbers-others = { $n ->
    [one] Es wartet noch ein Empfänger. Er bekommt die Nachricht gleichzeitig.
   *[other] Es warten noch { $n } Empfänger. Sie bekommen die Nachricht gleichzeitig.
  }
numbers-until = { $n ->
    [one] Geben Sie die Nummer vor dem { $date } ein. Danach wird die Nachricht nicht mehr gesendet.
   *[other] Geben Sie die Nummern vor dem { $date } ein. Danach wird die Nachricht nicht mehr gesendet.
  }
number-of = Handynummer von { $address }
number-hint = Zum Beispiel 06 12345678 oder +32 470 12 34 56
numbers-send = Speichern und senden
numbers-kept = { $n ->
    [one] Wir merken uns die Nummer für spätere Nachrichten der ganzen Organisation.
   *[other] Wir merken uns die Nummern für spätere Nachrichten der ganzen Organisation.
  }
numbers-faults = { $n ->
    [one] Eine Nummer stimmt noch nicht. Es wurde noch nichts gesendet.
   *[other] { $n } Nummern stimmen noch nicht. Es wurde noch nichts gesendet.
  }
phone-empty = Geben Sie eine Handynummer ein.
phone-invalid = Diese Telefonnummer gibt es nicht. Prüfen Sie die Ziffern.
phone-no-sms = Auf dieser Nummer kommt keine SMS an. Geben Sie eine Handynummer ein.
phone-country = In dieses Land senden wir keine SMS. Geben Sie eine andere Nummer ein.
decide-title = Wie soll Ihre Nachricht gesendet werden?
decide-for = { $n ->
    [one] Sie geht an einen Empfänger.
   *[other] Sie geht an { $n } Empfänger.
  }
decide-one = Mit Passwort senden
decide-code = immer mit SMS-Code
decide-protected = bleibt geschützt
decide-one-hint = { $n ->
    [one] Der Empfänger bekommt ein Passwort in einer zweiten E-Mail.
   *[other] Die Empfänger bekommen ein Passwort in einer zweiten E-Mail.
  }
decide-one-codes = { $n ->
    [one] Ein Empfänger bekommt trotzdem einen Code per SMS: Ihre Organisation verlangt das.
   *[other] { $n } Empfänger bekommen trotzdem einen Code per SMS: Ihre Organisation verlangt das.
  }
decide-two = Mit SMS-Code senden
decide-two-hint = { $n ->
    [one] Der Empfänger bekommt einen Code per SMS. Kennen wir seine Handynummer noch nicht? Dann fragen wir Sie danach.
   *[other] Die Empfänger bekommen einen Code per SMS. Kennen wir eine Handynummer noch nicht? Dann fragen wir Sie danach.
  }
openly-title = Ohne Schutz senden
openly-what = Die Nachricht wird dann so gesendet, wie Sie sie geschrieben haben. Unterwegs und im Postfach des Empfängers ist sie nicht besonders geschützt.
openly-some = { $n ->
    [one] Für einen Empfänger muss sie geschützt bleiben. Er bekommt eine E-Mail mit einem Link.
   *[other] Für { $n } Empfänger muss sie geschützt bleiben. Sie bekommen eine E-Mail mit einem Link.
  }
openly-reason = Warum geht es ohne Schutz?
openly-reason-hint = Ihre Organisation bewahrt Ihre Begründung auf, mit Ihrem Namen und der Uhrzeit.
openly-send = Ohne Schutz senden
reason-empty = Geben Sie ein, warum es ohne Schutz geht.
reason-long = Die Begründung ist zu lang. Benutzen Sie höchstens 300 Zeichen.
openly-sure = Ohne Schutz senden?
openly-for = Ohne Schutz geht sie an:
openly-why = Ihre Begründung: { $reason }
openly-yes = Ja, ohne Schutz senden
openly-back = Zurück: anders wählen
openly-done = Ihre Nachricht wird jetzt so gesendet, wie Sie sie geschrieben haben, ohne besonderen Schutz.
openly-done-others = Muss sie für jemanden geschützt bleiben? Diese Person bekommt eine E-Mail mit einem Link.
decide-done-title = Ihre Nachricht wurde gesendet
numbers-done-title = Ihre Nachricht wurde gesendet
numbers-done = Alle Empfänger bekommen jetzt eine E-Mail mit einem Link zu Ihrer Nachricht.
numbers-done-kept = Die Nummern sind gespeichert. Sie müssen sie nicht noch einmal eingeben.
numbers-late-title = Ihre Nachricht wurde nicht gesendet
numbers-late = Die Handynummer wurde nicht rechtzeitig eingegeben. Jetzt können Sie sie nicht mehr eingeben.
numbers-late-who = Wir haben Ihnen eine E-Mail gesendet. Darin steht, wer die Nachricht nicht bekommen hat.
numbers-late-do = Wird die Nachricht noch gebraucht? Dann senden Sie sie noch einmal.

## E-Mails

mail-from = { $sender } (über { $organisation })
mail-automatic = Diese E-Mail wurde automatisch erstellt.

notification-subject = Geschützte Nachricht: { $subject }
notification-subject-none = Geschützte Nachricht von { $sender }
notification-preheader = { $sender } hat Ihnen eine geschützte Nachricht gesendet.
notification-intro = { $sender } ({ $address }) hat Ihnen eine geschützte Nachricht gesendet.
notification-about = Betreff: { $subject }
notification-one = Auf der Seite fordern Sie ein Passwort an. Es kommt in einer zweiten E-Mail.
notification-two = Auf der Seite fordern Sie einen Code an. Er kommt per SMS.
open-message = Nachricht öffnen
notification-until = Sie können die Nachricht bis einschließlich { $date } lesen.
notification-why = Sie bekommen diesen Link, weil die Nachricht Daten enthält, die { $organisation } schützen möchte.
notification-trust = Vertrauen Sie dieser E-Mail nicht? Dann klicken Sie nicht, sondern rufen Sie den Absender unter einer Nummer an, die Sie schon kennen.
notification-check = Sie können das Kennzeichen auch prüfen: Tippen Sie selbst { $host }/check in Ihren Browser.
notification-reference = Kennzeichen: { $reference }. Auf der Seite sehen Sie dasselbe Kennzeichen.
mail-files = Zu dieser Nachricht gehören Dateien. Sie sind geschützt.
download-files = Dateien herunterladen
mail-files-until = Sie können die Dateien bis einschließlich { $date } herunterladen.
notification-answer = Antworten Sie auf diese E-Mail? Dann geht Ihre Antwort ohne besonderen Schutz an den Absender.

password-subject = Ihr Passwort
password-preheader = Damit öffnen Sie die geschützte Nachricht.
password-intro = Mit diesem Passwort öffnen Sie die geschützte Nachricht:
password-once = Es funktioniert einmal, bis { $clock } Uhr am { $date }.
password-copy = Geben Sie es auf der Seite ein, auf der Sie es angefordert haben.
password-reference = Kennzeichen: { $reference }. Auf der Seite sehen Sie dasselbe Kennzeichen.
password-not-asked = Haben Sie kein Passwort angefordert? Dann müssen Sie nichts tun. Geben Sie das Passwort an niemanden weiter.

number-subject = Nummer für Ihre Nachricht nötig: { $subject }
number-subject-none = Nummer für Ihre Nachricht nötig
number-preheader = Ihre Nachricht wurde noch nicht gesendet.
number-intro = { $n ->
    [one] Ihre Nachricht wurde noch nicht gesendet: Uns fehlt die Handynummer von einem Empfänger.
   *[other] Ihre Nachricht wurde noch nicht gesendet: Uns fehlen die Handynummern von { $n } Empfängern.
  }
number-intro-some = { $n ->
    [one] Ihre Nachricht wurde an einen Empfänger noch nicht gesendet: Uns fehlt die Handynummer. Andere Empfänger haben die Nachricht schon.
   *[other] Ihre Nachricht wurde an { $n } Empfänger noch nicht gesendet: Uns fehlen ihre Handynummern. Andere Empfänger haben die Nachricht schon.
  }
number-why = Diese Nachricht muss mit einem SMS-Code geschützt werden:
number-missing = Keine Nummer bekannt von:
number-more = { $n ->
    [one] und noch einem; die Seite zeigt alle
   *[other] und noch { $n } weiteren; die Seite zeigt alle
  }
number-others = { $n ->
    [one] Ein weiterer Empfänger wartet, bis Sie dies eingegeben haben.
   *[other] { $n } weitere Empfänger warten, bis Sie dies eingegeben haben.
  }
number-button = Nummer eingeben
number-then = Nach der Eingabe wird Ihre Nachricht sofort gesendet. Sie müssen sie nicht noch einmal senden.
number-until = Tun Sie dies vor dem { $date }. Danach wird die Nachricht nicht gesendet.

report-about = Betreff: { $subject }
report-at = Es geht um Ihre Nachricht vom { $date }, { $clock } Uhr.
report-reply = Dies ist die technische Meldung, die wir bekommen haben, für Ihren Helpdesk:

not-sent-subject = Nicht gesendet: { $subject }
not-sent-subject-none = Ihre Nachricht wurde nicht gesendet
not-sent-preheader = Ihre geschützte Nachricht wurde nicht gesendet.
not-sent-intro = Ihre Nachricht wurde nicht gesendet an:
not-sent-number = Es wurde nicht rechtzeitig eine Handynummer eingegeben oder eine Wahl getroffen. Deshalb konnten wir die Nachricht nicht sicher senden.
not-sent-do = Wird die Nachricht noch gebraucht? Dann senden Sie sie noch einmal und geben Sie die Handynummer ein. Die alte Nachricht haben wir gelöscht.

not-notified-subject = Nicht angekommen: { $subject }
not-notified-subject-none = Ihre Nachricht ist nicht angekommen
not-notified-preheader = Der Empfänger kann Ihre Nachricht nicht lesen.
not-notified-intro = Ihre Nachricht ist bei { $recipient } nicht angekommen.
not-notified-refused = Die E-Mail wurde vom Mailserver des Empfängers abgelehnt.
not-notified-given-up = Wir haben tagelang versucht, die E-Mail zuzustellen. Das ist nicht gelungen.
not-notified-lost = Die E-Mail an den Empfänger ist bei uns verloren gegangen.
not-notified-do = Stimmt die E-Mail-Adresse? Dann senden Sie die Nachricht noch einmal. Klappt es wieder nicht? Dann rufen Sie den Empfänger an.
not-notified-do-lost = Senden Sie die Nachricht noch einmal. Klappt es wieder nicht? Dann rufen Sie Ihren Helpdesk an.

delayed-subject = Noch nicht angekommen: { $subject }
delayed-subject-none = Ihre Nachricht ist noch nicht angekommen
delayed-preheader = Wir versuchen es weiter. Sie müssen nichts tun.
delayed-intro = Ihre Nachricht ist bei { $recipient } noch nicht angekommen.
delayed-until = Wir versuchen es weiter bis { $date }, { $clock } Uhr.
delayed-do = Sie müssen nichts tun. Klappt es nicht? Dann bekommen Sie von uns eine E-Mail. Ist es eilig? Dann rufen Sie den Empfänger an.

relayed-subject = Gesendet: { $subject }
relayed-subject-none = Ihre Nachricht wurde gesendet
relayed-preheader = Der Empfänger bekommt eine E-Mail mit einem Link.
relayed-intro = Wir haben eine E-Mail mit dem Link zu Ihrer geschützten Nachricht an { $recipient } gesendet.
relayed-means = Sie bekommen diese E-Mail, weil Ihr Mailprogramm um eine Bestätigung gebeten hat. Die Bestätigung bedeutet nicht, dass die Nachricht gelesen wurde.

reminder-subject = Erinnerung: { $title }
reminder-intro = Dies ist eine Erinnerung. Haben Sie schon gewählt oder eine Nummer eingegeben? Dann müssen Sie nichts tun.
ask-subject = Wählen Sie, wie Ihre Nachricht gesendet wird: { $subject }
ask-subject-none = Wählen Sie, wie Ihre Nachricht gesendet wird
ask-preheader = Ihre Nachricht wurde noch nicht gesendet.
ask-intro = Ihre Nachricht wurde noch nicht gesendet: Wählen Sie zuerst, wie sie gesendet wird. Sie ist bestimmt für:
ask-button = Wählen und senden
ask-then = Nach Ihrer Wahl wird die Nachricht gesendet. Sie müssen sie nicht noch einmal senden.
ask-until = Tun Sie dies vor dem { $date }. Danach wird die Nachricht nicht gesendet.

told-noticed-subject = Hinweis zu Ihrer Nachricht: { $subject }
told-noticed-subject-none = Hinweis zu Ihrer Nachricht
told-quarantined-subject = Ihre Nachricht wartet auf eine Prüfung: { $subject }
told-quarantined-subject-none = Ihre Nachricht wartet auf eine Prüfung
told-refused-subject = Nicht gesendet: { $subject }
told-refused-subject-none = Ihre Nachricht wurde nicht gesendet
told-expired-subject = Nicht gesendet: { $subject }
told-expired-subject-none = Ihre Nachricht wurde nicht gesendet
told-preheader-noticed = Ihre Nachricht wurde gesendet. Sie enthält sensible Daten.
told-preheader-quarantined = Ihre Nachricht wurde noch nicht gesendet.
told-preheader-refused = Ihre Nachricht wurde angehalten.
told-preheader-expired = Ihre Nachricht wurde nicht rechtzeitig freigegeben.
told-noticed = Ihre Nachricht wurde ganz normal gesendet, aber sie enthält sensible Daten. Sie ging an:
told-quarantined = Ihre Nachricht wurde noch nicht gesendet: Ihre Organisation sieht sie zuerst an. Sie ist bestimmt für:
told-refused = Ihre Nachricht wurde nicht gesendet. Ihre Organisation hat sie angehalten. Sie war bestimmt für:
told-expired = Ihre Nachricht wurde nicht gesendet. Niemand hat sie rechtzeitig freigegeben. Sie war bestimmt für:
told-more = { $n ->
    [one] und noch einen Empfänger
   *[other] und noch { $n } weitere Empfänger
  }
told-why = Das ist uns aufgefallen:
told-policy = Das folgt aus der Regel „{ $policy }“.
told-reason = Die Erklärung: { $reason }
told-do-noticed = Ist das richtig? Dann müssen Sie nichts tun. War es nicht so gewollt? Dann melden Sie es Ihrer Organisation als Datenpanne.
told-do-quarantined = Sie müssen nichts tun. Senden Sie die Nachricht nicht noch einmal. Ist es eilig? Dann rufen Sie Ihren Helpdesk an.
told-do-refused = Haben Sie Fragen? Dann rufen Sie Ihren Helpdesk an. Wir haben die Nachricht gelöscht.
told-do-expired = Wird die Nachricht noch gebraucht? Dann senden Sie sie noch einmal. Die alte Nachricht haben wir gelöscht.
told-until = Wird die Nachricht nicht vor dem { $date } freigegeben? Dann bekommen Sie darüber eine E-Mail.

undelivered-subject = SMS an { $recipient } nicht angekommen
undelivered-preheader = Prüfen Sie die Handynummer.
undelivered-intro = { $recipient } möchte Ihre geschützte Nachricht öffnen, aber die SMS mit dem Code ist auf { $phone } nicht angekommen.
undelivered-do = Stimmt diese Nummer nicht? Dann ändern Sie sie auf der Statusseite. Sie müssen die Nachricht nicht noch einmal senden.
undelivered-wait = Stimmt sie? Dann war das Telefon vielleicht ausgeschaltet. Der Empfänger kann einen neuen Code anfordern.
reply-footer = Diese Antwort hat { $recipient } auf der geschützten Seite von { $organisation } geschrieben. Antworten Sie? Dann geht Ihre E-Mail an { $recipient }.
reply-footer-files = Zegel hat die Anhänge nicht auf Viren geprüft.
reply-not-sent-subject = Ihre Antwort ist nicht angekommen
reply-not-sent-intro = Ihre Antwort ist bei { $sender } nicht angekommen.
reply-not-sent-at = Es geht um Ihre Antwort vom { $date }, { $clock } Uhr.
reply-not-sent-do = Rufen Sie den Absender an oder schreiben Sie ihm selbst eine E-Mail. Eine gewöhnliche E-Mail ist nicht besonders geschützt.

locked-subject = Nachricht vorübergehend gesperrt für { $recipient }
locked-preheader = Es wurde zu oft ein falsches Passwort oder ein falscher Code eingegeben.
locked-intro = Bei Ihrer geschützten Nachricht an { $recipient } wurde zu oft ein falsches Passwort oder ein falscher Code eingegeben.
locked-open = Bis { $clock } Uhr am { $date } kann niemand sie mit diesem Link öffnen. Danach kann der Empfänger es wieder versuchen.
locked-do = Fragen Sie den Empfänger, ob das stimmt. War es jemand anderes? Dann kann diese Person vielleicht die E-Mails des Empfängers lesen.

## SMS: nur einfache Buchstaben, der Code zuerst

sms-code = { $code } ist Ihr Code für die geschützte Nachricht von { $organisation }. Geben Sie ihn nicht weiter.

## Der Status einer Nachricht (eigene Mitarbeiter) und eine zurückgezogene Nachricht

status-title = Status Ihrer Nachricht
status-link = Status Ihrer Nachricht ansehen
status-moment = { $date }, { $clock } Uhr
status-sent = Ihre Nachricht wurde gesendet. Man kann sie bis einschließlich { $date } lesen.
status-held = Ihre Nachricht wurde noch nicht an alle gesendet. Sie wartet auf eine Handynummer oder auf Ihre Wahl.
status-held-link = Nummer eingeben oder Wahl treffen
status-held-mail = Benutzen Sie dafür den Knopf in der E-Mail, die Sie darüber bekommen haben.
status-waiting = Ihre Nachricht wurde noch nicht gesendet: Ihre Organisation sieht sie zuerst an.
status-blocked = Sie haben diese Nachricht blockiert. Niemand kann sie jetzt lesen.
status-recalled = Sie haben diese Nachricht zurückgezogen. Sie ist gelöscht: Niemand kann sie mehr lesen. Unten sehen Sie, was vorher schon gelesen wurde.
status-cancelled = Sie haben diese Nachricht zurückgezogen, bevor sie gesendet wurde. Sie ist gelöscht.
status-gone = Diese Nachricht ist abgelaufen oder wurde nicht gesendet. Sie ist gelöscht.
status-openly = Ein oder mehrere Empfänger haben die Nachricht so bekommen, wie Sie sie geschrieben haben, ohne besonderen Schutz. Das kann man nicht rückgängig machen.
status-recipients = Empfänger
status-read-by = { $n ->
    [0] Noch niemand hat die Nachricht gelesen.
    [one] Einer der { $total } Empfänger hat die Nachricht gelesen.
   *[other] { $n } der { $total } Empfänger haben die Nachricht gelesen.
  }
status-read-by-one = Der Empfänger hat die Nachricht gelesen.
status-mail = E-Mail mit dem Link
status-mail-waits = noch nicht gesendet
status-mail-failed = Nicht angekommen
status-read = Nachricht gelesen
status-not-yet = noch nicht
status-file = Datei { $n }
status-file-had = geöffnet oder heruntergeladen
status-phone = Handynummer
status-number = Nummer ändern
status-number-then = Ein Code, der schon unterwegs ist, funktioniert dann nicht mehr. Der Empfänger fordert einen neuen an. Wir merken uns die Nummer für die ganze Organisation.
status-number-save = Nummer speichern
status-waiting-for = Es warten noch
status-day-title = Länger oder kürzer aufbewahren
status-day = Letzter Tag, an dem man sie lesen kann
status-day-hint = Wählen Sie einen Tag vom { $first } bis einschließlich { $last }.
status-day-fault = Diesen Tag können Sie nicht wählen.
status-day-save = Tag speichern
status-block-title = Blockieren
status-block-what = Niemand kann die Nachricht dann lesen. Sie können sie später wieder freigeben.
status-block = Nachricht blockieren
status-unblock-what = Die Empfänger können die Nachricht dann wieder lesen, mit demselben Link.
status-unblock = Nachricht wieder freigeben
status-recall-title = Zurückziehen
status-recall-what = Wir löschen die Nachricht für alle Empfänger. Das kann man nicht rückgängig machen.
status-recall-read = Wer sie gelesen hat, hat sie vielleicht gespeichert.
status-cancel-title = Nicht senden
status-cancel-what = Wir löschen die Nachricht. Niemand bekommt sie.
status-sure = Ich weiß, dass man das nicht rückgängig machen kann
status-sure-fault = Setzen Sie zuerst ein Häkchen. Es wurde noch nichts gelöscht.
status-recall = Nachricht zurückziehen und löschen
status-cancel = Nicht senden und löschen
status-aside = Wer diesen Link hat, kann die Nachricht zurückziehen. Der Inhalt steht nicht auf dieser Seite. Geben Sie den Link an niemanden weiter.
status-backups = Löschen Sie die Nachricht oder bewahren Sie sie kürzer auf? In Sicherungskopien steht sie dann noch bis zu dem Tag, der zuerst galt, verschlüsselt: Nur zusammen mit dem Link in der E-Mail eines Empfängers kann man sie dort lesen.
withdrawn-title = Sie können diese Nachricht jetzt nicht lesen
withdrawn = Der Absender hat diese Nachricht blockiert oder zurückgezogen. Sie haben nichts falsch gemacht.
withdrawn-ask = Brauchen Sie die Nachricht oder möchten Sie wissen, warum? Dann fragen Sie den Absender.
wrong-number-subject = Nummer von { $recipient } stimmt nicht
wrong-number-intro = { $recipient } kann Ihre geschützte Nachricht nicht öffnen: Die Nummer { $phone } gehört nicht diesem Empfänger.
wrong-number-do = Ändern Sie die Nummer auf der Statusseite. Sie müssen die Nachricht nicht noch einmal senden.
wrong-number-button = Nummer ändern
wrong-number-ask = Sind Sie nicht sicher? Dann rufen Sie den Empfänger unter einer Nummer an, die Sie schon kennen. Verlassen Sie sich nicht auf eine Nummer aus einer E-Mail.
wrong-number = Stimmt diese Nummer nicht?
wrong-number-what = Wir bitten den Absender, die Nummer zu ändern. Danach können Sie hier einen Code anfordern.
wrong-number-sure = Das ist nicht meine Nummer
wrong-number-send = Dem Absender Bescheid geben
wrong-number-told = Wir haben den Absender um { $clock } Uhr am { $date } gebeten, die Nummer zu ändern. Benutzen Sie danach denselben Link.
fault-wrong-number = Setzen Sie zuerst ein Häkchen bei „Das ist nicht meine Nummer“.
