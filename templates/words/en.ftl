# English. Plain words, short sentences.
# A text that depends on a number stands on lines of its own, as `ago` does; Fluent can't read it on one line.

language-name = English

## Time and size

date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  } { $year }
ago = { $unit ->
    [moment] just now
    [minutes] { $n ->
        [one] one minute ago
       *[other] { $n } minutes ago
      }
    [hours] { $n ->
        [one] one hour ago
       *[other] { $n } hours ago
      }
   *[days] { $n ->
        [one] one day ago
       *[other] { $n } days ago
      }
  }
decimal-comma = .
size = { $number } { $unit ->
    [B] B
    [kB] kB
   *[MB] MB
  }

## On every page

skip = Skip to content
portal-of = Secure messages
footer = This page belongs to { $organisation }.
error-title = Error: { $title }

## Opening the link

start-title = Secure message
start-from = From { $sender }
start-safe = This message is protected. Only you can read it.
start-until = You can read it up to and including { $date }.
reference = Reference { $reference }
reference-hint = The email you received shows the same reference. Is it different? Then do not go on.

ask-password = We will send a password to your email address { $address }. It opens the message.
send-password = Send my password
password-sent = We sent a password to { $address } at { $clock }.
password-wait = It can take a few minutes to arrive. Please look in your spam folder too. The password works for { $minutes } minutes.
enter-password = Enter password
password-hint = 12 letters and digits, like k7mp3xqa9dtz

ask-code = We will send an SMS code to your mobile number { $phone }. It opens the message.
phone-wrong = Is this not your number? Then ask the sender to send the message again, with the right number.
send-code = Send my SMS code
code-sent = We sent an SMS to { $phone } at { $clock }.
code-unsure = We are not sure whether the SMS to { $phone } was sent. Does it arrive within a minute? Then enter the code. Nothing there? Then ask for a new code.
code-undelivered = The SMS did not arrive at { $phone }.
code-undelivered-do = Is the number right? Switch your telephone on and ask for a new code. Is it wrong? Then ask the sender to change it.
code-wait = The code works for { $minutes } minutes.
enter-code = Enter SMS code
code-hint = 6 digits, like 042815

continue = Continue
another-password = No password received?
another-code = No SMS received?
send-another = Click here to receive a new one
show = Show
hide = Hide

fault-wrong-password = This password is not right. { $n ->
    [one] You can try one more time.
   *[other] You can try { $n } more times.
  }
fault-wrong-code = This code is not right. { $n ->
    [one] You can try one more time.
   *[other] You can try { $n } more times.
  }
fault-dead-password = This password no longer works, because a wrong one was entered too often. Please ask for a new password.
fault-dead-code = This code no longer works, because a wrong one was entered too often. Please ask for a new code.
fault-none-password = This password has expired or was already used. Please ask for a new password.
fault-none-code = This code has expired or was already used. Please ask for a new code.
fault-empty-password = Enter the password that we sent you.
fault-empty-code = Enter the code that we sent you.
fault-limit-password = You asked for a password too often. You can ask for one again after { $clock } on { $date }.
fault-limit-code = You asked for a code too often. You can ask for one again after { $clock } on { $date }.
fault-again = There were too many tries at the same time. This one does not count. Please try again.
fault-sms-later = The SMS could not be sent. You can try again after { $clock }. The message is not lost.
fault-sms-refused = No SMS can be sent to this number. Please ask the sender to send the message again, with another number.
fault-sms-stopped = You stopped the SMS messages of this sender, so no code arrives. Please ask the sender to send the message again, with another number.
fault-sms-unreachable = Your telephone cannot be reached now. Switch it on and try again in a few minutes.
fault-sms-country = We send no SMS to the country of this number. Please ask the sender to send the message again, with another number.
fault-sms-spent = Too many SMS messages were sent today. You can ask for a code again after { $clock } on { $date }. Is it urgent? Then call the sender.
locked-title = Message locked for now
locked = A wrong password or a wrong code was entered too often. That is why the message is locked.
locked-until = You can try again after { $clock } on { $date }.
locked-sender = We told the sender by email. The message is not lost.

## The message

message-at = { $date }, { $clock }, { $ago }
message-from = From
message-date = Sent
no-subject = (no subject)
message-text = Message
message-no-text = This message has no text.
message-own-page = Show the text on a page of its own
message-too-complex = The layout of this message is too complex to show safely. That is why you see the text only.
message-text-cut = This message is too long to show all of it here. You can download the whole text below.
message-whole-text = whole text
files = { $n ->
    [one] One attachment
   *[other] { $n } attachments
  }
pictures = { $n ->
    [one] One picture from the text
   *[other] { $n } pictures from the text
  }
download = Download
download-all = Download all
files-archive = attachments
view = View
view-back = Back to the message
view-cut = This file is too long to show all of it here. You can download it.
unshown-title = We cannot show this file here
unshown = Go back to the message and download the file.
leave = Close
conversation = Conversation
said-by-you = Your reply
reply = Reply
reply-title = Your reply
reply-to = Your reply goes to { $sender }, secured. You get a copy on this page.
reply-text = Message
reply-files = Send files along (optional)
reply-files-hint = At most { $n } files, at most { $size } in all.
reply-send = Send reply
reply-sent = Your reply was sent. You can see it under “Conversation”.
fault-reply-empty = Please write a message first, or choose a file. Nothing was sent yet.
fault-reply-large = Your files are too large. Together they may be { $n } MB at most. Nothing was sent yet. Please choose smaller files.
fault-reply-many = These are too many files. You can send { $n } at a time at most. Nothing was sent yet.
fault-reply-long = Your message is too long. Please make it shorter, or send it as a file. Nothing was sent yet.
fault-reply-often = You have replied to this message very often already. Please ask the sender to send you a new message.
left-title = Message closed
left = The message is closed on this device. Do you want to read it again? Then click the link in the email.

## No message, no access

gone-title = This link does not work
gone = There is no message to read here. The message may have expired, or the link may not have been copied completely.
gone-link = Click the button in the email, or copy the whole link.
gone-ask = Does the link still not work? Then ask the sender to send the message again.
closed-title = Please open the message again
closed = You were away too long, or you are using another device. That is why the message is closed.
closed-again = Click the link in the email you received. Then ask for a new password or a new code.
home-title = Secure messages
home = Here you read messages that { $organisation } sent you securely.
home-how = Click the button in the email you received. It takes you to the message.

## Is an email genuine?

check-title = Is this email genuine?
check-link = Check whether an email is genuine
check-how = Every email with a link to a message shows a reference. Enter it here. You then see whether { $organisation } sent that email.
check-field = Reference from the email
check-hint = 8 letters and digits, like ABCD-2345
check-button = Check
check-faulty = This is not a reference. A reference has 8 letters and digits, without the letters I and O and without the digits 0 and 1.
check-known = The reference { $reference } is from { $organisation }. The email with this reference was sent on { $date }.
check-known-do = Look at the button in the email too. It must lead to { $host }. Does it lead to another address? Then do not click: somebody may have copied the reference.
check-unknown = We do not know the reference { $reference }.
check-unknown-why = Check whether you copied it correctly. Has the message expired? Then we no longer know the reference either.
check-unknown-do = Are you in doubt? Then do not click the button in the email. Call the sender on a number that you already know.

## What cannot be done

refused-form-title = This form no longer works
refused-form = The page may have been open too long. Please click the link in the email again.
refused-request-title = We do not understand this request
refused-request = Go back to the previous page and try again.
refused-missing-title = This page does not exist
refused-missing = Click the link in the email you received.
refused-method-title = This cannot be done here
refused-method = Go back to the previous page and try again.
refused-large-title = This is too much
refused-large = More was filled in than this page can take. Go back and try again.
refused-host-title = This address is not ours
refused-host = Click the link in the email you received.
refused-busy-title = We are very busy now
refused-busy = Please wait a minute and try again.
refused-often-title = Too many tries
refused-often = Please wait a few minutes and try again.
refused-down-title = This does not work right now
refused-down = Something is out of order. The message is not lost. Please try again in a few minutes.
refused-damaged-title = The message cannot be opened
refused-damaged = A part of the message is damaged. Please ask the sender to send it again.
refused-error-title = Something went wrong
refused-error = It is not your fault. Please try again in a few minutes.

## Entering numbers (own staff)

numbers-title = Enter the mobile number
numbers-why = { $n ->
    [one] Your message waits until the number is known. The recipient gets a code by SMS to open it.
   *[other] Your message waits until all numbers are known. The recipients get a code by SMS to open it.
  }
numbers-subject = Message: { $subject }
numbers-at = Of { $date }, { $clock }
numbers-others = { $n ->
    [one] One more recipient is waiting and gets the message at the same time.
   *[other] { $n } more recipients are waiting and get the message at the same time.
  }
numbers-until = { $n ->
    [one] Enter the number before { $date }. After that the message will not be sent.
   *[other] Enter the numbers before { $date }. After that the message will not be sent.
  }
number-of = Mobile number of { $address }
number-hint = For example 06 12345678 or +32 470 12 34 56
numbers-send = Save and send
numbers-kept = { $n ->
    [one] We remember the number for later messages of the whole organisation.
   *[other] We remember the numbers for later messages of the whole organisation.
  }
numbers-faults = { $n ->
    [one] One number is not right yet. Nothing has been sent.
   *[other] { $n } numbers are not right yet. Nothing has been sent.
  }
phone-empty = Enter a mobile number.
phone-invalid = This telephone number does not exist. Please check the digits.
phone-no-sms = This number receives no SMS. Enter a mobile number.
phone-country = We send no SMS to this country. Enter another number.
decide-title = How should your message be sent?
decide-for = { $n ->
    [one] It goes to one recipient.
   *[other] It goes to { $n } recipients.
  }
decide-one = Send with a password
decide-code = always with a text message code
decide-protected = stays protected
decide-one-hint = { $n ->
    [one] The recipient gets a password in a second email.
   *[other] The recipients get a password in a second email.
  }
decide-one-codes = { $n ->
    [one] One recipient gets a code by text message all the same: your organisation requires that.
   *[other] { $n } recipients get a code by text message all the same: your organisation requires that.
  }
decide-two = Send with a text message code
decide-two-hint = { $n ->
    [one] The recipient gets a code by text message. If we do not know the mobile number yet, we ask you for it.
   *[other] The recipients get a code by text message. If we do not know a mobile number yet, we ask you for it.
  }
openly-title = Send without protection
openly-what = The message is then sent as you wrote it. On its way and in the recipient's mailbox it has no extra protection.
openly-some = { $n ->
    [one] For one recipient it has to stay protected. That recipient gets an email with a link.
   *[other] For { $n } recipients it has to stay protected. They get an email with a link.
  }
openly-reason = Why can it go without protection?
openly-reason-hint = Your organisation keeps your reason, with your name and the time.
openly-send = Send without protection
reason-empty = Enter why it can go without protection.
reason-long = The reason is too long. Use 300 characters at most.
openly-sure = Send without protection?
openly-for = Without protection it goes to:
openly-why = Your reason: { $reason }
openly-yes = Yes, send without protection
openly-back = Back: choose differently
openly-done = Your message is being sent as you wrote it, without extra protection.
openly-done-others = Does it have to stay protected for somebody? That recipient gets an email with a link.
decide-done-title = Your message was sent
numbers-done-title = Your message has been sent
numbers-done = All recipients now get an email with a link to your message.
numbers-done-kept = The numbers are kept. You need not enter them again.
numbers-late-title = Your message was not sent
numbers-late = The mobile number was not entered in time. You can no longer enter it now.
numbers-late-who = We sent you an email. It says who did not get the message.
numbers-late-do = Is the message still needed? Then send it again.

## Emails

mail-from = { $sender } (via { $organisation })
mail-automatic = This email was made automatically.

notification-subject = Secure message: { $subject }
notification-subject-none = Secure message from { $sender }
notification-preheader = { $sender } sent you a secure message.
notification-intro = { $sender } ({ $address }) sent you a secure message.
notification-about = Subject: { $subject }
notification-one = On the page you ask for a password. It comes in a second email.
notification-two = On the page you ask for a code. It comes by SMS.
open-message = Open message
notification-until = You can read the message up to and including { $date }.
notification-why = You get this link because the message holds data that { $organisation } wants to protect.
notification-trust = Do you not trust this email? Then do not click, but call the sender on a number that you already know.
notification-check = You can also check the reference: type { $host }/check in your browser yourself.
notification-reference = Reference: { $reference }. The page shows the same reference.
mail-files = This message comes with files. They are protected.
download-files = Download files
mail-files-until = You can download the files up to and including { $date }.
notification-answer = If you reply to this email, your reply goes to the sender without extra protection.

password-subject = Your password
password-preheader = It opens the secure message.
password-intro = This password opens the secure message:
password-once = It works once, until { $clock } on { $date }.
password-copy = Enter it on the page where you asked for it.
password-reference = Reference: { $reference }. The page shows the same reference.
password-not-asked = Did you not ask for a password? Then you need not do anything. Give the password to nobody.

number-subject = Number needed for your message: { $subject }
number-subject-none = Number needed for your message
number-preheader = Your message has not been sent yet.
number-intro = { $n ->
    [one] Your message has not been sent yet: we lack the mobile number of one recipient.
   *[other] Your message has not been sent yet: we lack the mobile numbers of { $n } recipients.
  }
number-intro-some = { $n ->
    [one] Your message has not been sent to one recipient yet: we lack the mobile number. Other recipients already have the message.
   *[other] Your message has not been sent to { $n } recipients yet: we lack their mobile numbers. Other recipients already have the message.
  }
number-why = This message must be protected with an SMS code:
number-missing = No number is known of:
number-more = { $n ->
    [one] and one more; the page shows all of them
   *[other] and { $n } more; the page shows all of them
  }
number-others = { $n ->
    [one] One other recipient is waiting until you have done this.
   *[other] { $n } other recipients are waiting until you have done this.
  }
number-button = Enter number
number-then = Your message leaves as soon as you have done this. You need not send it again.
number-until = Please do this before { $date }. After that the message will not be sent.

report-about = Subject: { $subject }
report-at = This is about your message of { $date }, { $clock }.
report-reply = This is the technical answer we got, for your helpdesk:

not-sent-subject = Not sent: { $subject }
not-sent-subject-none = Your message was not sent
not-sent-preheader = Your secure message was not sent.
not-sent-intro = Your message was not sent to:
not-sent-number = No mobile number was entered or choice made in time. That is why we could not send the message securely.
not-sent-do = Is the message still needed? Then send it again, and enter the mobile number. We have erased the old message.

not-notified-subject = Not delivered: { $subject }
not-notified-subject-none = Your message was not delivered
not-notified-preheader = The recipient can't read your message.
not-notified-intro = Your message did not reach { $recipient }.
not-notified-refused = The email was refused by the recipient's mail server.
not-notified-given-up = For days we tried to deliver the email. We did not succeed.
not-notified-lost = The email to the recipient was lost on our side.
not-notified-do = Is the email address right? Then send the message again. If it fails again, call the recipient.
not-notified-do-lost = Send the message again. If it fails again, call your helpdesk.

delayed-subject = Not delivered yet: { $subject }
delayed-subject-none = Your message has not been delivered yet
delayed-preheader = We keep trying. You need not do anything.
delayed-intro = Your message has not reached { $recipient } yet.
delayed-until = We keep trying until { $date }, { $clock }.
delayed-do = You need not do anything. If it fails, we will send you an email. If it is urgent, call the recipient.

relayed-subject = Sent: { $subject }
relayed-subject-none = Your message was sent
relayed-preheader = The recipient gets an email with a link.
relayed-intro = We sent an email with the link to your secure message to { $recipient }.
relayed-means = You get this email because your mail program asked for a confirmation. The confirmation does not mean that the message was read.

reminder-subject = Reminder: { $title }
reminder-intro = This is a reminder. If you have already chosen or entered a number, there is nothing left to do.
ask-subject = Choose how your message is sent: { $subject }
ask-subject-none = Choose how your message is sent
ask-preheader = Your message was not sent yet.
ask-intro = Your message was not sent yet: first choose how it is sent. It is meant for:
ask-button = Choose and send
ask-then = The message leaves once you have chosen. You do not have to send it again.
ask-until = Do this before { $date }. After that the message is not sent.

told-noticed-subject = About your message: { $subject }
told-noticed-subject-none = About your message
told-quarantined-subject = Your message waits for a check: { $subject }
told-quarantined-subject-none = Your message waits for a check
told-refused-subject = Not sent: { $subject }
told-refused-subject-none = Your message was not sent
told-expired-subject = Not sent: { $subject }
told-expired-subject-none = Your message was not sent
told-preheader-noticed = Your message was sent. It holds sensitive data.
told-preheader-quarantined = Your message was not sent yet.
told-preheader-refused = Your message was stopped.
told-preheader-expired = Your message was not released in time.
told-noticed = Your message was sent as it is, but it holds sensitive data. It went to:
told-quarantined = Your message was not sent yet: your organisation looks at it first. It is meant for:
told-refused = Your message was not sent. Your organisation stopped it. It was meant for:
told-expired = Your message was not sent. Nobody released it in time. It was meant for:
told-more = { $n ->
    [one] and one more recipient
   *[other] and { $n } more recipients
  }
told-why = This is what we noticed:
told-policy = This follows from the policy “{ $policy }”.
told-reason = The explanation: { $reason }
told-do-noticed = Is that right? Then there is nothing to do. If it was not meant to happen, report it to your organisation as a data breach.
told-do-quarantined = There is nothing to do. Do not send the message again. Is it urgent? Call your help desk.
told-do-refused = Do you have questions? Call your help desk. We deleted the message.
told-do-expired = Do you still need the message? Then send it again. We deleted the old one.
told-until = If the message is not released before { $date }, you get an email about that.

undelivered-subject = SMS not delivered to { $recipient }
undelivered-preheader = Please check the mobile number.
undelivered-intro = { $recipient } wants to open your secure message, but the SMS with the code did not arrive at { $phone }.
undelivered-do = Is this number wrong? Change it on the status page. You need not send the message again.
undelivered-wait = Is it right? Then the telephone may have been off. The recipient can ask for a new code.
reply-footer = { $recipient } wrote this reply on the secure page of { $organisation }. Your answer to it goes to { $recipient }.
reply-footer-files = Zegel has not checked the attachments for viruses.
reply-not-sent-subject = Your reply did not arrive
reply-not-sent-intro = Your reply did not reach { $sender }.
reply-not-sent-at = This is about your reply of { $date }, { $clock }.
reply-not-sent-do = Please call the sender, or write an email. An ordinary email has no extra protection.

locked-subject = Message locked for now for { $recipient }
locked-preheader = A wrong password or a wrong code was entered too often.
locked-intro = For your secure message to { $recipient } a wrong password or a wrong code was entered too often.
locked-open = Until { $clock } on { $date } nobody can open it with this link. After that the recipient can try again.
locked-do = Ask the recipient about this. Was it somebody else? Then that person may be able to read the recipient's email.

## SMS: plain letters only, the code first

sms-code = { $code } is your code for the secure message from { $organisation }. Give it to nobody.

## The status of a message (own staff), and a message that was recalled

status-title = Status of your message
status-link = See the status of your message
status-moment = { $date }, { $clock }
status-sent = Your message has been sent. It can be read until { $date }.
status-held = Your message has not been sent to everybody yet. It waits for a mobile number or for your choice.
status-held-link = Enter the number or make your choice
status-held-mail = Use the button in the email that you got about it.
status-waiting = Your message has not been sent yet: your organisation looks at it first.
status-blocked = You have blocked this message. Nobody can read it now.
status-recalled = You have recalled this message. It has been erased: nobody can read it any more. Below you see what had been read before.
status-cancelled = You have recalled this message before it was sent. It has been erased.
status-gone = This message has expired or was not sent. It has been erased.
status-openly = One or more recipients got the message as you wrote it, without extra protection. That can't be taken back.
status-recipients = Recipients
status-read-by = { $n ->
    [0] Nobody has read the message yet.
    [one] One of the { $total } recipients has read the message.
   *[other] { $n } of the { $total } recipients have read the message.
  }
status-read-by-one = The recipient has read the message.
status-mail = Email with the link
status-mail-waits = not sent yet
status-mail-failed = Did not arrive
status-read = Message read
status-not-yet = not yet
status-file = File { $n }
status-file-had = opened or downloaded
status-phone = Mobile number
status-number = Change the number
status-number-then = A code that is on its way then no longer works. The recipient asks for a new one. We remember the number for the whole organisation.
status-number-save = Save the number
status-waiting-for = Still waiting
status-day-title = Keep it longer or shorter
status-day = Last day on which it can be read
status-day-hint = Choose a day from { $first } to { $last }.
status-day-fault = This is not a day that you can choose.
status-day-save = Save the day
status-block-title = Block
status-block-what = Nobody can then read the message. You can release it again later.
status-block = Block the message
status-unblock-what = The recipients can then read the message again, with the same link.
status-unblock = Release the message again
status-recall-title = Recall
status-recall-what = We erase the message for all recipients. This can't be undone.
status-recall-read = Whoever has read it may have kept it.
status-cancel-title = Don't send
status-cancel-what = We erase the message. Nobody gets it.
status-sure = I know that this can't be undone
status-sure-fault = Tick the box first. Nothing has been erased yet.
status-recall = Recall and erase the message
status-cancel = Don't send, and erase
status-aside = Whoever has this link can recall the message. What it says is not on this page. Give the link to nobody.
status-backups = Do you erase the message, or keep it shorter? Backups then hold it until the day that it had at first, encrypted: it can be read there only together with the link in a recipient's email.
withdrawn-title = You can't read this message now
withdrawn = The sender has blocked or recalled this message. You did nothing wrong.
withdrawn-ask = Do you need the message, or want to know why? Ask the sender.
wrong-number-subject = Wrong number for { $recipient }
wrong-number-intro = { $recipient } can't open your secure message: the number { $phone } is not theirs.
wrong-number-do = Change the number on the status page. You need not send the message again.
wrong-number-button = Change the number
wrong-number-ask = Call the recipient on a number that you know already if you have doubts. Don't rely on a number in an email.
wrong-number = Is this number wrong?
wrong-number-what = We ask the sender to change the number. After that you can ask for a code here.
wrong-number-sure = This is not my number
wrong-number-send = Tell the sender
wrong-number-told = At { $clock } on { $date } we asked the sender to change the number. Use the same link after that.
fault-wrong-number = First tick the box "This is not my number".
