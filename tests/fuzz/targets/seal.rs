//! What lies on disk.

use zegel::{
    record,
    seal::{Context, Key, Kind, Master, Salt, open, open_range, sealed_len, sealed_range},
    secret::Id,
};

/// Octets that were not sealed never open; octets that were do, and not when one bit of them is another, nor when some are missing.
pub fn seal(octets: &[u8]) {
    let key = Key::new([7; 32]);
    let context = Context::new(Kind::Part, 0, &[&[1; 16], &[2; 16]]);
    never_opens(&key, &context, octets);
    let sealed = zegel::seal::seal(&key, &context, Salt::random(), octets).as_bytes().to_vec();
    assert_eq!(sealed.len() as u64, sealed_len(octets.len() as u64));
    assert!(open(&key, &context, &sealed).is_ok_and(|opened| *opened == octets));
    opens_in_ranges(&key, &context, &sealed, octets);
    // A bit that the octets choose.
    let sum = octets.iter().fold(0usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(usize::from(*octet)));
    let mut flipped = sealed.clone();
    flipped[sum / 8 % sealed.len()] ^= 1 << (sum % 8);
    never_opens(&key, &context, &flipped);
    never_opens(&key, &context, &sealed[..sum % sealed.len()]);
    never_opens(&key, &context, &[sealed.as_slice(), &[0]].concat());
    // A header that is right, and chunks that are not.
    never_opens(&key, &context, &[&sealed[..80], octets].concat());
}

fn never_opens(key: &Key, context: &Context, octets: &[u8]) {
    assert!(open(key, context, octets).is_err(), "{} octets open", octets.len());
    let master = Master::new(1, Key::new([9; 32]));
    let sealed = record::Sealed(octets.to_vec());
    assert!(master.open_letter(Id([3; 16]), &sealed).is_err() && !master.made(&sealed));
    assert!(master.open_field("address", &record::Key::grant(Id([3; 16])), &sealed).is_err());
}

fn opens_in_ranges(key: &Key, context: &Context, sealed: &[u8], plain: &[u8]) {
    let length = plain.len() as u64;
    for (from, to) in [(0, length), (length / 2, length), (length / 3, length / 2), (length, length)] {
        let range = from..to;
        let chunks = sealed_range(&range, length);
        let chunks = &sealed[usize::try_from(chunks.start).unwrap()..usize::try_from(chunks.end).unwrap()];
        let opened = open_range(key, context, &sealed[..80], chunks, &range, length).expect("it was sealed so");
        assert!(*opened == plain[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]);
    }
    assert!(open_range(key, context, &sealed[..80], &sealed[80..], &(0..length + 1), length).is_err());
}
