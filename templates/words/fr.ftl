# Français. On dit « vous » à tous, destinataires et collaborateurs. Niveau B1 : phrases courtes, mots simples.
# Un texte qui dépend d'un nombre se trouve sur ses propres lignes, comme `ago` ; Fluent ne le comprend pas sur une seule ligne. Pour Fluent, 0 est « one ».

language-name = Français

## Temps et taille

date = { $day ->
    [1] 1er
   *[other] { $day }
  } { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
  } { $year }
ago = { $unit ->
    [moment] à l’instant
    [minutes] { $n ->
        [one] il y a une minute
       *[other] il y a { $n } minutes
      }
    [hours] { $n ->
        [one] il y a une heure
       *[other] il y a { $n } heures
      }
   *[days] { $n ->
        [one] il y a un jour
       *[other] il y a { $n } jours
      }
  }
decimal-comma = ,
size = { $number } { $unit ->
    [B] o
    [kB] ko
   *[MB] Mo
  }

## Sur chaque page

skip = Aller au contenu
portal-of = Messages sécurisés
footer = Cette page est celle de { $organisation }.
error-title = Erreur : { $title }

## Ouvrir le lien

start-title = Message sécurisé
start-from = De { $sender }
start-safe = Ce message est sécurisé. Vous seul pouvez le lire.
start-until = Vous pouvez le lire jusqu’au { $date } inclus.
reference = Référence { $reference }
reference-hint = Cette référence se trouve aussi dans l’e-mail que vous avez reçu. Elle est différente ? Alors, n’allez pas plus loin.

ask-password = Nous envoyons un mot de passe à votre adresse e-mail { $address }. Avec ce mot de passe, vous ouvrez le message.
send-password = Envoyer mon mot de passe
password-sent = À { $clock }, nous avons envoyé un mot de passe à { $address }.
password-wait = L’e-mail peut mettre quelques minutes à arriver. Regardez aussi dans les courriers indésirables. Le mot de passe est valable { $minutes } minutes.
enter-password = Saisissez le mot de passe
password-hint = 12 lettres et chiffres, par exemple k7mp3xqa9dtz

ask-code = Nous envoyons un code par SMS à votre numéro de portable { $phone }. Avec ce code, vous ouvrez le message.
phone-wrong = Ce n’est pas votre numéro ? Demandez à l’expéditeur de renvoyer le message avec le bon numéro.
send-code = Envoyer mon code SMS
code-sent = À { $clock }, nous avons envoyé un SMS au { $phone }.
code-unsure = Nous ne savons pas si le SMS au { $phone } est bien parti. Il arrive dans la minute ? Saisissez le code. Rien n’arrive ? Demandez un nouveau code.
code-undelivered = Le SMS n’est pas arrivé au { $phone }.
code-undelivered-do = Le numéro est bon ? Allumez votre téléphone et demandez un nouveau code. Il n’est pas bon ? Demandez à l’expéditeur de le changer.
code-wait = Le code est valable { $minutes } minutes.
enter-code = Saisissez le code SMS
code-hint = 6 chiffres, par exemple 042815

continue = Continuer
another-password = Vous n’avez pas reçu de mot de passe ?
another-code = Vous n’avez pas reçu de SMS ?
send-another = Cliquez ici pour en recevoir un nouveau
show = Afficher
hide = Masquer

fault-wrong-password = Ce mot de passe n’est pas bon. { $n ->
    [one] Vous pouvez encore essayer une fois.
   *[other] Vous pouvez encore essayer { $n } fois.
  }
fault-wrong-code = Ce code n’est pas bon. { $n ->
    [one] Vous pouvez encore essayer une fois.
   *[other] Vous pouvez encore essayer { $n } fois.
  }
fault-dead-password = Ce mot de passe n’est plus valable. Vous avez saisi trop souvent un mauvais mot de passe. Demandez un nouveau mot de passe.
fault-dead-code = Ce code n’est plus valable. Vous avez saisi trop souvent un mauvais code. Demandez un nouveau code.
fault-none-password = Ce mot de passe a expiré ou a déjà servi. Demandez un nouveau mot de passe.
fault-none-code = Ce code a expiré ou a déjà servi. Demandez un nouveau code.
fault-empty-password = Saisissez le mot de passe que nous vous avons envoyé.
fault-empty-code = Saisissez le code que nous vous avons envoyé.
fault-limit-password = Vous avez demandé trop souvent un mot de passe. Vous pourrez en demander un autre le { $date } après { $clock }.
fault-limit-code = Vous avez demandé trop souvent un code. Vous pourrez en demander un autre le { $date } après { $clock }.
fault-again = Il y a eu trop d’essais en même temps. Celui-ci ne compte pas. Essayez à nouveau.
fault-sms-later = Le SMS n’a pas pu être envoyé. Vous pourrez essayer à nouveau après { $clock }. Le message n’est pas perdu.
fault-sms-refused = On ne peut pas envoyer de SMS à ce numéro. Demandez à l’expéditeur de renvoyer le message avec un autre numéro.
fault-sms-stopped = Vous avez arrêté les SMS de cet expéditeur. C’est pourquoi aucun code n’arrive. Demandez à l’expéditeur de renvoyer le message avec un autre numéro.
fault-sms-unreachable = Votre téléphone n’est pas joignable en ce moment. Allumez-le et essayez à nouveau dans quelques minutes.
fault-sms-country = Nous n’envoyons pas de SMS vers le pays de ce numéro. Demandez à l’expéditeur de renvoyer le message avec un autre numéro.
fault-sms-spent = Trop de SMS ont été envoyés aujourd’hui. Vous pourrez demander un autre code le { $date } après { $clock }. C’est urgent ? Appelez l’expéditeur.
locked-title = Message bloqué pour le moment
locked = Un mauvais mot de passe ou un mauvais code a été saisi trop souvent. C’est pourquoi le message est bloqué.
locked-until = Vous pourrez essayer à nouveau le { $date } après { $clock }.
locked-sender = Nous avons envoyé un e-mail à l’expéditeur. Le message n’est pas perdu.

## Le message

message-at = { $date } à { $clock }, { $ago }
message-from = De
message-date = Envoyé
no-subject = (sans objet)
message-text = Message
message-no-text = Ce message n’a pas de texte.
message-own-page = Afficher le texte sur une page à part
message-too-complex = La mise en page de ce message est trop compliquée pour être affichée en toute sécurité. C’est pourquoi vous ne voyez que le texte.
message-text-cut = Ce message est trop long pour être affiché ici en entier. Vous pouvez télécharger le texte complet plus bas.
message-whole-text = texte complet
files = { $n ->
    [one] Une pièce jointe
   *[other] { $n } pièces jointes
  }
pictures = { $n ->
    [one] Une image du texte
   *[other] { $n } images du texte
  }
download = Télécharger
download-all = Tout télécharger
files-archive = pièces jointes
view = Afficher
view-back = Retour au message
view-cut = Ce fichier est trop long pour être affiché ici en entier. Vous pouvez le télécharger.
unshown-title = Nous ne pouvons pas afficher ce fichier ici
unshown = Retournez au message et téléchargez le fichier.
leave = Fermer
conversation = Conversation
said-by-you = Votre réponse
reply = Répondre
reply-title = Votre réponse
reply-to = Votre réponse est envoyée de façon sécurisée à { $sender }. Vous en gardez une copie sur cette page.
reply-text = Message
reply-files = Joindre des fichiers (facultatif)
reply-files-hint = Au maximum { $n } fichiers, { $size } en tout.
reply-send = Envoyer la réponse
reply-sent = Votre réponse est envoyée. Elle se trouve sous « Conversation ».
fault-reply-empty = Écrivez d’abord un message ou choisissez un fichier. Rien n’a encore été envoyé.
fault-reply-large = Vos fichiers sont trop gros. Ensemble, ils peuvent faire { $n } Mo au maximum. Rien n’a encore été envoyé. Choisissez des fichiers plus petits.
fault-reply-many = Il y a trop de fichiers. Vous pouvez en envoyer { $n } à la fois au maximum. Rien n’a encore été envoyé.
fault-reply-long = Votre message est trop long. Écrivez un message plus court ou envoyez-le comme fichier. Rien n’a encore été envoyé.
fault-reply-often = Vous avez déjà répondu très souvent à ce message. Demandez à l’expéditeur de vous envoyer un nouveau message.
left-title = Message fermé
left = Le message est fermé sur cet appareil. Vous voulez le relire ? Cliquez sur le lien dans l’e-mail.

## Pas de message, pas d'accès

gone-title = Ce lien ne fonctionne pas
gone = Il n’y a pas de message à lire ici. Le message a peut-être expiré, ou le lien n’a pas été copié en entier.
gone-link = Cliquez sur le bouton dans l’e-mail ou copiez le lien entier.
gone-ask = Le lien ne fonctionne toujours pas ? Demandez à l’expéditeur de renvoyer le message.
closed-title = Ouvrez à nouveau le message
closed = Vous avez été absent trop longtemps, ou vous utilisez un autre appareil. C’est pourquoi le message est fermé.
closed-again = Cliquez sur le lien dans l’e-mail que vous avez reçu. Demandez ensuite un nouveau mot de passe ou un nouveau code.
home-title = Messages sécurisés
home = Ici, vous lisez les messages que { $organisation } vous a envoyés de façon sécurisée.
home-how = Cliquez sur le bouton dans l’e-mail que vous avez reçu. Vous arriverez directement au message.

## Un e-mail est-il authentique ?

check-title = Cet e-mail est-il authentique ?
check-link = Vérifier si un e-mail est authentique
check-how = Chaque e-mail avec un lien vers un message montre une référence. Saisissez-la ici. Vous verrez si { $organisation } a envoyé cet e-mail.
check-field = Référence de l’e-mail
check-hint = 8 lettres et chiffres, par exemple ABCD-2345
check-button = Vérifier
check-faulty = Ce n’est pas une référence. Une référence a 8 lettres et chiffres, sans les lettres I et O et sans les chiffres 0 et 1.
check-known = La référence { $reference } vient de { $organisation }. L’e-mail avec cette référence a été envoyé le { $date }.
check-known-do = Regardez aussi le bouton dans l’e-mail. Il doit mener à { $host }. Il mène à une autre adresse ? Ne cliquez pas : quelqu’un peut avoir copié la référence.
check-unknown = Nous ne connaissons pas la référence { $reference }.
check-unknown-why = Vérifiez si vous l’avez bien recopiée. Le message a expiré ? Dans ce cas, nous ne connaissons plus la référence.
check-unknown-do = Vous avez un doute ? Ne cliquez pas sur le bouton dans l’e-mail. Appelez l’expéditeur à un numéro que vous connaissez déjà.

## Ce qui n’est pas possible

refused-form-title = Ce formulaire ne fonctionne plus
refused-form = La page est peut-être restée ouverte trop longtemps. Cliquez à nouveau sur le lien dans l’e-mail.
refused-request-title = Nous ne comprenons pas cette demande
refused-request = Retournez à la page précédente et essayez à nouveau.
refused-missing-title = Cette page n’existe pas
refused-missing = Cliquez sur le lien dans l’e-mail que vous avez reçu.
refused-method-title = Ce n’est pas possible ici
refused-method = Retournez à la page précédente et essayez à nouveau.
refused-large-title = C’est trop
refused-large = Cette page ne peut pas traiter tout ce qui a été saisi. Retournez en arrière et essayez à nouveau.
refused-host-title = Cette adresse n’est pas la nôtre
refused-host = Cliquez sur le lien dans l’e-mail que vous avez reçu.
refused-busy-title = Il y a trop de monde en ce moment
refused-busy = Attendez une minute et essayez à nouveau.
refused-often-title = Trop d’essais
refused-often = Attendez quelques minutes et essayez à nouveau.
refused-down-title = Cela ne fonctionne pas en ce moment
refused-down = Il y a une panne. Le message n’est pas perdu. Essayez à nouveau dans quelques minutes.
refused-damaged-title = Le message ne peut pas être ouvert
refused-damaged = Une partie du message est abîmée. Demandez à l’expéditeur de le renvoyer.
refused-error-title = Un problème est survenu
refused-error = Ce n’est pas votre faute. Essayez à nouveau dans quelques minutes.

## Saisir des numéros (collaborateurs)

numbers-title = Saisir le numéro de portable
numbers-why = { $n ->
    [one] Votre message attend que le numéro soit connu. Le destinataire reçoit un code par SMS pour l’ouvrir.
   *[other] Votre message attend que tous les numéros soient connus. Les destinataires reçoivent un code par SMS pour l’ouvrir.
  }
numbers-subject = Message : { $subject }
numbers-at = Du { $date } à { $clock }
numbers-others = { $n ->
    [one] Un autre destinataire attend encore. Il recevra le message en même temps.
   *[other] { $n } autres destinataires attendent encore. Ils recevront le message en même temps.
  }
numbers-until = { $n ->
    [one] Saisissez le numéro avant le { $date }. Après cette date, le message ne sera plus envoyé.
   *[other] Saisissez les numéros avant le { $date }. Après cette date, le message ne sera plus envoyé.
  }
number-of = Numéro de portable de { $address }
number-hint = Par exemple 06 12345678 ou +32 470 12 34 56
numbers-send = Enregistrer et envoyer
numbers-kept = { $n ->
    [one] Nous gardons le numéro pour les prochains messages de toute l’organisation.
   *[other] Nous gardons les numéros pour les prochains messages de toute l’organisation.
  }
numbers-faults = { $n ->
    [one] Un numéro n’est pas encore bon. Rien n’a encore été envoyé.
   *[other] { $n } numéros ne sont pas encore bons. Rien n’a encore été envoyé.
  }
phone-empty = Saisissez un numéro de portable.
phone-invalid = Ce numéro de téléphone n’existe pas. Vérifiez les chiffres.
phone-no-sms = Ce numéro ne reçoit pas de SMS. Saisissez un numéro de portable.
phone-country = Nous n’envoyons pas de SMS vers ce pays. Saisissez un autre numéro.
decide-title = Comment envoyer votre message ?
decide-for = { $n ->
    [one] Il est destiné à un seul destinataire.
   *[other] Il est destiné à { $n } destinataires.
  }
decide-one = Envoyer avec un mot de passe
decide-code = toujours avec un code SMS
decide-protected = reste sécurisé
decide-one-hint = { $n ->
    [one] Le destinataire reçoit un mot de passe dans un deuxième e-mail.
   *[other] Les destinataires reçoivent un mot de passe dans un deuxième e-mail.
  }
decide-one-codes = { $n ->
    [one] Un destinataire reçoit tout de même un code par SMS : votre organisation l’exige.
   *[other] { $n } destinataires reçoivent tout de même un code par SMS : votre organisation l’exige.
  }
decide-two = Envoyer avec un code SMS
decide-two-hint = { $n ->
    [one] Le destinataire reçoit un code par SMS. Nous ne connaissons pas encore son numéro de portable ? Nous vous le demanderons.
   *[other] Les destinataires reçoivent un code par SMS. Nous ne connaissons pas encore un numéro de portable ? Nous vous le demanderons.
  }
openly-title = Envoyer sans protection
openly-what = Le message part alors comme vous l’avez écrit. En route et dans la boîte du destinataire, il n’a pas de protection particulière.
openly-some = { $n ->
    [one] Pour un destinataire, il doit rester sécurisé. Il recevra un e-mail avec un lien.
   *[other] Pour { $n } destinataires, il doit rester sécurisé. Ils recevront un e-mail avec un lien.
  }
openly-reason = Pourquoi peut-il partir sans protection ?
openly-reason-hint = Votre organisation garde votre raison, avec votre nom et l’heure.
openly-send = Envoyer sans protection
reason-empty = Écrivez pourquoi il peut partir sans protection.
reason-long = La raison est trop longue. Utilisez 300 caractères au maximum.
openly-sure = Envoyer sans protection ?
openly-for = Sans protection, il part vers :
openly-why = Votre raison : { $reason }
openly-yes = Oui, envoyer sans protection
openly-back = Retour : choisir autrement
openly-done = Votre message part maintenant comme vous l’avez écrit, sans protection particulière.
openly-done-others = Il doit rester sécurisé pour quelqu’un ? Cette personne recevra un e-mail avec un lien.
decide-done-title = Votre message est envoyé
numbers-done-title = Votre message est envoyé
numbers-done = Tous les destinataires reçoivent maintenant un e-mail avec un lien vers votre message.
numbers-done-kept = Les numéros sont enregistrés. Vous ne devez pas les saisir à nouveau.
numbers-late-title = Votre message n’a pas été envoyé
numbers-late = Le numéro de portable n’a pas été saisi à temps. Vous ne pouvez plus le saisir maintenant.
numbers-late-who = Nous vous avons envoyé un e-mail. Il dit qui n’a pas reçu le message.
numbers-late-do = Le message est encore utile ? Envoyez-le à nouveau.

## E-mails

mail-from = { $sender } (via { $organisation })
mail-automatic = Cet e-mail a été créé automatiquement.

notification-subject = Message sécurisé : { $subject }
notification-subject-none = Message sécurisé de { $sender }
notification-preheader = { $sender } vous a envoyé un message sécurisé.
notification-intro = { $sender } ({ $address }) vous a envoyé un message sécurisé.
notification-about = Objet : { $subject }
notification-one = Sur la page, vous demandez un mot de passe. Il arrive dans un deuxième e-mail.
notification-two = Sur la page, vous demandez un code. Il arrive par SMS.
open-message = Ouvrir le message
notification-until = Vous pouvez lire le message jusqu’au { $date } inclus.
notification-why = Vous recevez ce lien parce que le message contient des données que { $organisation } veut protéger.
notification-trust = Vous n’avez pas confiance en cet e-mail ? Ne cliquez pas. Appelez l’expéditeur à un numéro que vous connaissez déjà.
notification-check = Vous pouvez aussi vérifier la référence : tapez vous-même { $host }/check dans votre navigateur.
notification-reference = Référence : { $reference }. La page montre la même référence.
mail-files = Ce message est accompagné de fichiers. Ils sont protégés.
download-files = Télécharger les fichiers
mail-files-until = Vous pouvez télécharger les fichiers jusqu’au { $date } inclus.
notification-answer = Vous répondez à cet e-mail ? Votre réponse part alors à l’expéditeur sans protection particulière.

password-subject = Votre mot de passe
password-preheader = Il ouvre le message sécurisé.
password-intro = Avec ce mot de passe, vous ouvrez le message sécurisé :
password-once = Il fonctionne une seule fois, jusqu’au { $date } à { $clock }.
password-copy = Saisissez-le sur la page où vous l’avez demandé.
password-reference = Référence : { $reference }. La page montre la même référence.
password-not-asked = Vous n’avez pas demandé de mot de passe ? Vous n’avez rien à faire. Ne donnez le mot de passe à personne.

number-subject = Numéro nécessaire pour votre message : { $subject }
number-subject-none = Numéro nécessaire pour votre message
number-preheader = Votre message n’a pas encore été envoyé.
number-intro = { $n ->
    [one] Votre message n’a pas encore été envoyé : il nous manque le numéro de portable d’un destinataire.
   *[other] Votre message n’a pas encore été envoyé : il nous manque le numéro de portable de { $n } destinataires.
  }
number-intro-some = { $n ->
    [one] Votre message n’a pas encore été envoyé à un destinataire : il nous manque son numéro de portable. D’autres destinataires ont déjà le message.
   *[other] Votre message n’a pas encore été envoyé à { $n } destinataires : il nous manque leur numéro de portable. D’autres destinataires ont déjà le message.
  }
number-why = Ce message doit être protégé par un code SMS :
number-missing = Nous n’avons pas de numéro pour :
number-more = { $n ->
    [one] et encore un autre ; la page les montre tous
   *[other] et encore { $n } autres ; la page les montre tous
  }
number-others = { $n ->
    [one] Un autre destinataire attend que vous l’ayez fait.
   *[other] { $n } autres destinataires attendent que vous l’ayez fait.
  }
number-button = Saisir le numéro
number-then = Ensuite, votre message part tout de suite. Vous ne devez pas l’envoyer à nouveau.
number-until = Faites-le avant le { $date }. Après cette date, le message ne sera pas envoyé.

report-about = Objet : { $subject }
report-at = Il s’agit de votre message du { $date } à { $clock }.
report-reply = Voici le message technique que nous avons reçu, pour votre service d’assistance :

not-sent-subject = Non envoyé : { $subject }
not-sent-subject-none = Votre message n’a pas été envoyé
not-sent-preheader = Votre message sécurisé n’a pas été envoyé.
not-sent-intro = Votre message n’a pas été envoyé à :
not-sent-number = Aucun numéro de portable n’a été saisi et aucun choix n’a été fait à temps. C’est pourquoi nous n’avons pas pu envoyer le message de façon sécurisée.
not-sent-do = Le message est encore utile ? Envoyez-le à nouveau et saisissez le numéro de portable. Nous avons effacé l’ancien message.

not-notified-subject = Non arrivé : { $subject }
not-notified-subject-none = Votre message n’est pas arrivé
not-notified-preheader = Le destinataire ne peut pas lire votre message.
not-notified-intro = Votre message n’est pas arrivé chez { $recipient }.
not-notified-refused = L’e-mail a été refusé par le serveur de messagerie du destinataire.
not-notified-given-up = Pendant plusieurs jours, nous avons essayé de remettre l’e-mail. Nous n’avons pas réussi.
not-notified-lost = L’e-mail au destinataire a été perdu chez nous.
not-notified-do = L’adresse e-mail est bonne ? Envoyez le message à nouveau. Cela ne marche toujours pas ? Appelez le destinataire.
not-notified-do-lost = Envoyez le message à nouveau. Cela ne marche toujours pas ? Appelez votre service d’assistance.

delayed-subject = Pas encore arrivé : { $subject }
delayed-subject-none = Votre message n’est pas encore arrivé
delayed-preheader = Nous continuons d’essayer. Vous n’avez rien à faire.
delayed-intro = Votre message n’est pas encore arrivé chez { $recipient }.
delayed-until = Nous continuons d’essayer jusqu’au { $date } à { $clock }.
delayed-do = Vous n’avez rien à faire. Si nous ne réussissons pas, vous recevrez un e-mail. C’est urgent ? Appelez le destinataire.

relayed-subject = Envoyé : { $subject }
relayed-subject-none = Votre message est envoyé
relayed-preheader = Le destinataire reçoit un e-mail avec un lien.
relayed-intro = Nous avons envoyé un e-mail avec le lien vers votre message sécurisé à { $recipient }.
relayed-means = Vous recevez cet e-mail parce que votre logiciel de messagerie a demandé une confirmation. Elle ne veut pas dire que le message a été lu.

reminder-subject = Rappel : { $title }
reminder-intro = Ceci est un rappel. Vous avez déjà choisi ou saisi un numéro ? Vous n’avez plus rien à faire.
ask-subject = Choisissez comment envoyer votre message : { $subject }
ask-subject-none = Choisissez comment envoyer votre message
ask-preheader = Votre message n’a pas encore été envoyé.
ask-intro = Votre message n’a pas encore été envoyé : choisissez d’abord comment l’envoyer. Il est destiné à :
ask-button = Choisir et envoyer
ask-then = Après votre choix, le message part. Vous ne devez pas l’envoyer à nouveau.
ask-until = Faites-le avant le { $date }. Après cette date, le message ne sera pas envoyé.

told-noticed-subject = Attention à votre message : { $subject }
told-noticed-subject-none = Attention à votre message
told-quarantined-subject = Votre message attend un contrôle : { $subject }
told-quarantined-subject-none = Votre message attend un contrôle
told-refused-subject = Non envoyé : { $subject }
told-refused-subject-none = Votre message n’a pas été envoyé
told-expired-subject = Non envoyé : { $subject }
told-expired-subject-none = Votre message n’a pas été envoyé
told-preheader-noticed = Votre message est envoyé. Il contient des données sensibles.
told-preheader-quarantined = Votre message n’a pas encore été envoyé.
told-preheader-refused = Votre message a été arrêté.
told-preheader-expired = Votre message n’a pas été libéré à temps.
told-noticed = Votre message a été envoyé normalement, mais il contient des données sensibles. Il est parti à :
told-quarantined = Votre message n’a pas encore été envoyé : votre organisation l’examine d’abord. Il est destiné à :
told-refused = Votre message n’a pas été envoyé. Votre organisation l’a arrêté. Il était destiné à :
told-expired = Votre message n’a pas été envoyé. Personne ne l’a libéré à temps. Il était destiné à :
told-more = { $n ->
    [one] et encore un autre destinataire
   *[other] et encore { $n } autres destinataires
  }
told-why = Voici ce que nous avons remarqué :
told-policy = Cela vient de la règle « { $policy } ».
told-reason = L’explication : { $reason }
told-do-noticed = C’est normal ? Vous n’avez rien à faire. Ce n’était pas voulu ? Signalez-le à votre organisation comme fuite de données.
told-do-quarantined = Vous n’avez rien à faire. N’envoyez pas le message à nouveau. C’est urgent ? Appelez votre service d’assistance.
told-do-refused = Vous avez des questions ? Appelez votre service d’assistance. Nous avons effacé le message.
told-do-expired = Le message est encore utile ? Envoyez-le à nouveau. Nous avons effacé l’ancien message.
told-until = Si le message n’est pas libéré avant le { $date }, vous recevrez un e-mail à ce sujet.

undelivered-subject = SMS non arrivé chez { $recipient }
undelivered-preheader = Vérifiez le numéro de portable.
undelivered-intro = { $recipient } veut ouvrir votre message sécurisé, mais le SMS avec le code n’est pas arrivé au { $phone }.
undelivered-do = Ce numéro n’est pas bon ? Changez-le sur la page de suivi. Vous ne devez pas envoyer le message à nouveau.
undelivered-wait = Il est bon ? Le téléphone était peut-être éteint. Le destinataire peut demander un nouveau code.
reply-footer = { $recipient } a écrit cette réponse sur la page sécurisée de { $organisation }. Vous répondez ? Votre e-mail part alors à { $recipient }.
reply-footer-files = Zegel n’a pas vérifié si les pièces jointes contiennent des virus.
reply-not-sent-subject = Votre réponse n’est pas arrivée
reply-not-sent-intro = Votre réponse n’est pas arrivée chez { $sender }.
reply-not-sent-at = Il s’agit de votre réponse du { $date } à { $clock }.
reply-not-sent-do = Appelez l’expéditeur ou envoyez-lui vous-même un e-mail. Un e-mail ordinaire n’a pas de protection particulière.

locked-subject = Message bloqué pour le moment pour { $recipient }
locked-preheader = Un mauvais mot de passe ou un mauvais code a été saisi trop souvent.
locked-intro = Pour votre message sécurisé à { $recipient }, un mauvais mot de passe ou un mauvais code a été saisi trop souvent.
locked-open = Jusqu’au { $date } à { $clock }, personne ne peut l’ouvrir avec ce lien. Ensuite, le destinataire pourra essayer à nouveau.
locked-do = Demandez au destinataire si c’était lui. C’était quelqu’un d’autre ? Cette personne peut peut-être lire les e-mails du destinataire.

## SMS : lettres simples seulement, le code d'abord

sms-code = { $code } est votre code pour le message de { $organisation }. Ne le donnez à personne.

## Le suivi d'un message (collaborateurs), et un message retiré

status-title = Suivi de votre message
status-link = Voir le suivi de votre message
status-moment = { $date } à { $clock }
status-sent = Votre message est envoyé. On peut le lire jusqu’au { $date } inclus.
status-held = Votre message n’a pas encore été envoyé à tous. Il attend un numéro de portable ou votre choix.
status-held-link = Saisir le numéro ou faire votre choix
status-held-mail = Utilisez pour cela le bouton dans l’e-mail que vous avez reçu à ce sujet.
status-waiting = Votre message n’a pas encore été envoyé : votre organisation l’examine d’abord.
status-blocked = Vous avez suspendu ce message. Personne ne peut le lire maintenant.
status-recalled = Vous avez retiré ce message. Il est effacé : personne ne peut plus le lire. Vous voyez ci-dessous ce qui avait déjà été lu avant.
status-cancelled = Vous avez retiré ce message avant son envoi. Il est effacé.
status-gone = Ce message a expiré ou n’a pas été envoyé. Il est effacé.
status-openly = Un ou plusieurs destinataires ont reçu le message comme vous l’avez écrit, sans protection particulière. On ne peut pas revenir en arrière.
status-recipients = Destinataires
status-read-by = { $n ->
    [0] Personne n’a encore lu le message.
    [one] Un des { $total } destinataires a lu le message.
   *[other] { $n } des { $total } destinataires ont lu le message.
  }
status-read-by-one = Le destinataire a lu le message.
status-mail = E-mail avec le lien
status-mail-waits = pas encore envoyé
status-mail-failed = Non arrivé
status-read = Message lu
status-not-yet = pas encore
status-file = Fichier { $n }
status-file-had = ouvert ou téléchargé
status-phone = Numéro de portable
status-number = Changer le numéro
status-number-then = Un code déjà en route ne fonctionnera plus. Le destinataire en demandera un nouveau. Nous gardons le numéro pour toute l’organisation.
status-number-save = Enregistrer le numéro
status-waiting-for = Attendent encore
status-day-title = Garder plus ou moins longtemps
status-day = Dernier jour où l’on peut le lire
status-day-hint = Choisissez un jour du { $first } au { $last } inclus.
status-day-fault = Vous ne pouvez pas choisir ce jour.
status-day-save = Enregistrer le jour
status-block-title = Suspendre
status-block-what = Personne ne pourra alors lire le message. Vous pourrez le rétablir plus tard.
status-block = Suspendre le message
status-unblock-what = Les destinataires pourront alors lire à nouveau le message, avec le même lien.
status-unblock = Rétablir le message
status-recall-title = Retirer
status-recall-what = Nous effaçons le message pour tous les destinataires. On ne peut pas revenir en arrière.
status-recall-read = Une personne qui l’a lu l’a peut-être gardé.
status-cancel-title = Ne pas envoyer
status-cancel-what = Nous effaçons le message. Personne ne le recevra.
status-sure = Je sais qu’on ne peut pas revenir en arrière
status-sure-fault = Cochez d’abord la case. Rien n’a encore été effacé.
status-recall = Retirer et effacer le message
status-cancel = Ne pas envoyer et effacer
status-aside = Toute personne qui a ce lien peut retirer le message. Le contenu ne se trouve pas sur cette page. Ne donnez le lien à personne.
status-backups = Vous effacez le message ou vous le gardez moins longtemps ? Il reste alors dans les copies de sauvegarde jusqu’au jour prévu au départ, chiffré : on ne peut l’y lire qu’avec le lien dans l’e-mail d’un destinataire.
withdrawn-title = Vous ne pouvez pas lire ce message maintenant
withdrawn = L’expéditeur a suspendu ou retiré ce message. Vous n’avez rien fait de mal.
withdrawn-ask = Vous avez besoin du message ou vous voulez savoir pourquoi ? Demandez à l’expéditeur.
wrong-number-subject = Le numéro de { $recipient } n’est pas bon
wrong-number-intro = { $recipient } ne peut pas ouvrir votre message sécurisé : le numéro { $phone } n’est pas le sien.
wrong-number-do = Changez le numéro sur la page de suivi. Vous ne devez pas envoyer le message à nouveau.
wrong-number-button = Changer le numéro
wrong-number-ask = Vous avez un doute ? Appelez le destinataire à un numéro que vous connaissez déjà. Ne vous fiez pas à un numéro trouvé dans un e-mail.
wrong-number = Ce numéro n’est pas bon ?
wrong-number-what = Nous demandons à l’expéditeur de changer le numéro. Ensuite, vous pourrez demander un code ici.
wrong-number-sure = Ce n’est pas mon numéro
wrong-number-send = Prévenir l’expéditeur
wrong-number-told = Le { $date } à { $clock }, nous avons demandé à l’expéditeur de changer le numéro. Utilisez ensuite le même lien.
fault-wrong-number = Cochez d’abord la case « Ce n’est pas mon numéro ».
