//! The providers that zegel knows of itself: the files of `sms/`, in the program.

/// Every file of `sms/`, by the name that `[sms] provider` gives it.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("bird", include_str!("../../sms/bird.toml")),
    ("cm", include_str!("../../sms/cm.toml")),
    ("messagebird", include_str!("../../sms/messagebird.toml")),
    ("spryng", include_str!("../../sms/spryng.toml")),
    ("twilio", include_str!("../../sms/twilio.toml")),
];
