//! A recipient's reply, as a mail in its sender's own mailbox; and what the recipient is told when it does not arrive.

use super::{Composed, Draft, Letter, Organisation, excerpt, written};
use crate::{
    secret::{Id, hex},
    template::{Language, RenderError, ReplyNotSentMail, Templates},
    time::Time,
};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address as Mailbox, message_id::MessageId},
};

/// What a message or a reply says, opened.
#[derive(Default)]
pub struct Contents {
    /// Its text.
    pub text: String,
    /// Its text as HTML, where it has one.
    pub html: Option<String>,
    /// Its files: a name that is safe to save under, a media type, the octets.
    pub files: Vec<(String, String, Vec<u8>)>,
}

/// The mail that brings a reply to its sender. It comes from the organisation's own address, so that nobody's DMARC policy is broken, and answers
/// go to who wrote it. In the sender's mail program it stands in the thread of his message.
///
/// # Errors
/// [`RenderError`] when `letter` is no reply.
pub fn compose_reply(
    letter: &Letter,
    contents: Contents,
    id: Id,
    at: Time,
    organisation: &Organisation,
    templates: &Templates,
) -> Result<Composed, RenderError> {
    let Letter::Reply { sender, recipient, subject, in_reply_to, language, .. } = letter else {
        return Err(RenderError::without_contents());
    };
    let language = Language::of_record(language);
    let who = recipient.to_string();
    let from = templates.text(language, "mail-from", &[("sender", &who), ("organisation", &organisation.name)]);
    let footer = templates.text(language, "reply-footer", &[("recipient", &who), ("organisation", &organisation.name)]);
    let files =
        if contents.files.is_empty() { String::new() } else { format!("\r\n{}", templates.text(language, "reply-footer-files", &[])) };
    let text = format!("{}\r\n\r\n-- \r\n{footer}{files}\r\n", contents.text.trim_end());
    let mut mail = MessageBuilder::new()
        .from(Mailbox::new_address(Some(excerpt(&from)), organisation.from.as_str().to_owned()))
        .to(Mailbox::new_address(None::<String>, sender.as_str().to_owned()))
        .reply_to(Mailbox::new_address(None::<String>, recipient.as_str().to_owned()))
        .subject(answering(subject))
        .date(at.millis() / 1000)
        .message_id(MessageId::new(format!("{}@{}", hex(&id.0), organisation.from.domain())))
        .text_body(text);
    if let Some(original) = in_reply_to.as_deref().filter(|id| is_message_id(id)) {
        mail = mail.in_reply_to(MessageId::new(original.to_owned())).references(MessageId::new(original.to_owned()));
    }
    for (name, media_type, octets) in contents.files {
        let media_type = if is_media_type(&media_type) { media_type } else { "application/octet-stream".to_owned() };
        mail = mail.attachment(media_type, name, octets);
    }
    Ok(Composed { envelope_from: None, to: sender.clone(), octets: written(mail, at, organisation)? })
}

/// The mail that tells a recipient that his reply did not arrive.
pub(super) fn not_sent(letter: &Letter, organisation: &Organisation, templates: &Templates) -> Result<Draft, RenderError> {
    let Letter::ReplyNotSent { recipient, sender, at, language } = letter else { return Err(RenderError::without_contents()) };
    let mail = ReplyNotSentMail { sender: sender.to_string(), at: *at };
    Draft::of(&mail, recipient, language, organisation, templates, |l| templates.text(l, "reply-not-sent-subject", &[]))
}

/// `Re: ` before a subject that has none.
fn answering(subject: &str) -> String {
    let subject = excerpt(subject);
    if subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:")) { subject } else { format!("Re: {subject}") }
}

/// What a mail of others calls itself, if it may stand in a header of ours: printable ASCII, one `@`, no brackets.
fn is_message_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>');
    id.len() <= 300 && id.bytes().all(plain) && id.contains('@')
}

/// `type/subtype` (RFC 2045, 5.1), without parameters. What holds mails or parts of its own is a file like any other.
fn is_media_type(text: &str) -> bool {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let own = ["multipart/", "message/"].iter().any(|prefix| text.to_ascii_lowercase().starts_with(prefix));
    text.len() <= 100 && !own && text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::Address, secret::Token};

    fn reply(subject: &str, in_reply_to: &str, contents: Contents) -> String {
        let letter = Letter::Reply {
            token: Token::random(),
            sender: Address::parse("anna@gemeente.example").unwrap(),
            recipient: Address::parse("burger@elders.example").unwrap(),
            subject: subject.to_owned(),
            in_reply_to: Some(in_reply_to.to_owned()),
            language: "nl".to_owned(),
        };
        let organisation = Organisation {
            name: "Gemeente Voorbeeld".to_owned(),
            from: Address::parse("zegel@gemeente.example").unwrap(),
            url: "https://b.example".to_owned(),
            language: "nl".to_owned(),
            hostname: "x".to_owned(),
            bounces: None,
            signer: None,
        };
        let at = Time::from_millis(1_791_790_000_000);
        let mail = compose_reply(&letter, contents, Id([1; 16]), at, &organisation, &Templates::embedded()).unwrap();
        String::from_utf8(mail.octets).unwrap()
    }

    #[test]
    fn a_reply_stands_in_the_thread_and_comes_from_the_organisation() {
        let mail = reply("Uw aanvraag", "1@gemeente.example", Contents { text: "Dank u.".to_owned(), ..Contents::default() });
        for field in [
            "From: \"burger@elders.example (via Gemeente Voorbeeld)\"\r\n <zegel@gemeente.example>\r\n",
            "Reply-To: <burger@elders.example>\r\n",
            "To: <anna@gemeente.example>\r\n",
            "Subject: Re: Uw aanvraag\r\n",
            "In-Reply-To: <1@gemeente.example>\r\n",
            "References: <1@gemeente.example>\r\n",
        ] {
            assert!(mail.contains(field), "{field}{mail}");
        }
        assert!(mail.contains("Dank u.") && !mail.contains("Auto-Submitted"), "a person wrote it");
        assert!(reply("RE: x", "1@a", Contents::default()).contains("Subject: RE: x\r\n"));
    }

    #[test]
    fn nothing_in_a_reply_becomes_a_header() {
        let evil = "x\r\nBcc: evil@x.example\r\n\r\n<script>";
        let file = (evil.to_owned(), evil.to_owned(), b"x".to_vec());
        let mail = reply(evil, evil, Contents { text: evil.to_owned(), html: None, files: vec![file] });
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        let parsed = mail_parser::MessageParser::new().parse(mail.as_bytes()).unwrap();
        assert!(parsed.bcc().is_none() && parsed.attachments().count() == 1 && !mail.contains("In-Reply-To"));
        assert!(mail.contains("Content-Type: application/octet-stream"));
    }

    #[test]
    fn a_media_type_is_one_or_none() {
        for good in ["application/pdf", "image/svg+xml", "application/vnd.ms-excel"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "x", "a/b; c=d", "a/b\r\n", "multipart/mixed", "Message/rfc822", "a/é", "/x", "x/"] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
