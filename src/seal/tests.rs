use super::*;
use crate::{
    record,
    secret::{self, Token, hex},
    time::Day,
};
use proptest::prelude::*;
use std::ops::Range;

const WHOLE: usize = (CHUNK_BYTES + 16) as usize;

fn place() -> Context {
    part_context(Id([1; 16]), Id([2; 16]))
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn sealed(len: usize) -> (Key, Vec<u8>) {
    let key = Key::new(secret::random());
    let sealed = seal(&key, &place(), Salt::random(), &text(len));
    (key, sealed.as_bytes().to_vec())
}

#[test]
fn a_text_that_comes_in_pieces_is_sealed_as_a_whole_one() {
    let (key, context, chunk) = (Key::new([7; 32]), part_context(Id([1; 16]), Id([2; 16])), CHUNK_BYTES as usize);
    for length in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 5] {
        let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        for piece in [1000, chunk, 5 * chunk] {
            let mut sealer = Sealer::new(&key, &context, Salt::fixed([9; 32]));
            text.chunks(piece).for_each(|piece| sealer.push(piece));
            assert!(sealer.finish() == seal(&key, &context, Salt::fixed([9; 32]), &text), "{length} by {piece}");
        }
    }
}

#[test]
fn the_format_is_the_one_that_was_written_down() {
    let made = seal(&Key::new([7; 32]), &Context::new(Kind::Canary, 1, &[b"vector"]), Salt::fixed([9; 32]), b"zegel");
    assert_eq!(hex(made.as_bytes()), format::VECTOR);
    assert_eq!(self_test(), Ok(()));
}

#[test]
fn what_was_sealed_opens_at_every_length_around_a_chunk() {
    for len in [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000] {
        let (key, sealed) = sealed(len);
        assert_eq!(sealed.len() as u64, sealed_len(len as u64), "{len}");
        assert!(*open(&key, &place(), &sealed).unwrap() == text(len), "{len}");
    }
}

#[test]
fn it_opens_for_its_own_key_and_place_only() {
    let (key, sealed) = sealed(100);
    let elsewhere = [
        part_context(Id([1; 16]), Id([3; 16])),
        part_context(Id([3; 16]), Id([2; 16])),
        card_context(Id([1; 16]), Id([2; 16])),
        Context::new(Kind::Part, 1, &[&[1; 16], &[2; 16]]),
        // The same bytes, divided otherwise.
        Context::new(Kind::Part, 0, &[&[1; 15], &[1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]]),
    ];
    for place in elsewhere {
        assert_eq!(open(&key, &place, &sealed).err(), Some(Damaged), "{place:?}");
    }
    assert!(open(&Key::new([0; 32]), &place(), &sealed).is_err());
    assert!(open(&key, &place(), &sealed).is_ok());
}

#[test]
fn no_bit_can_be_changed() {
    let (key, sealed) = sealed(40);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&key, &place(), &changed).is_err(), "bit {bit}");
    }
}

#[test]
fn nothing_can_be_cut_off_or_added() {
    let (key, sealed) = sealed(2 * CHUNK_BYTES as usize + 100);
    let cuts = [0, 1, 79, 80, 81, 96, 80 + WHOLE - 1, 80 + WHOLE, 80 + WHOLE + 16, 80 + 2 * WHOLE, sealed.len() - 1];
    for len in cuts {
        assert!(open(&key, &place(), &sealed[..len]).is_err(), "cut at {len}");
    }
    for more in [1, 16, 17, WHOLE] {
        assert!(open(&key, &place(), &[sealed.clone(), vec![0; more]].concat()).is_err(), "{more} more");
    }
}

#[test]
fn chunks_can_not_be_swapped_repeated_dropped_or_taken_from_another() {
    let (key, sealed) = sealed(4 * CHUNK_BYTES as usize);
    let chunk = |n: usize| sealed[80 + n * WHOLE..80 + (n + 1) * WHOLE].to_vec();
    let with = |order: &[usize]| [sealed[..80].to_vec(), order.iter().flat_map(|n| chunk(*n)).collect()].concat();
    assert!(open(&key, &place(), &with(&[0, 1, 2, 3])).is_ok());
    for order in [&[1, 0, 2, 3][..], &[0, 0, 1, 2, 3], &[0, 1, 1, 3], &[0, 2, 3], &[1, 2, 3], &[0, 1, 2], &[3], &[0, 1, 2, 3, 3], &[]] {
        assert!(open(&key, &place(), &with(order)).is_err(), "{order:?}");
    }
    // The same text, key and place: another salt is another chunk key.
    let other = seal(&key, &place(), Salt::random(), &text(4 * CHUNK_BYTES as usize));
    let mixed = [&sealed[..80 + WHOLE], &other.as_bytes()[80 + WHOLE..]].concat();
    assert!(open(&key, &place(), &mixed).is_err());
    assert_ne!(sealed[80..], other.as_bytes()[80..]);
}

#[test]
fn only_an_empty_text_has_an_empty_chunk() {
    // Such a file can only be made by someone who has the key; still one text has one form.
    let key = Key::new([1; 32]);
    let whole = format::seal_with_empty_end(&key, &place(), Salt::random(), &text(CHUNK_BYTES as usize));
    assert!(open(&key, &place(), &whole).is_err());
}

fn range_of(key: &Key, sealed: &[u8], plain: Range<u64>, plain_len: u64) -> Result<Vec<u8>, Damaged> {
    let bytes = sealed_range(&plain, plain_len);
    let chunks = &sealed[bytes.start as usize..bytes.end as usize];
    open_range(key, &place(), &sealed[..HEADER_BYTES as usize], chunks, &plain, plain_len).map(|opened| opened.to_vec())
}

#[test]
fn ranges_at_the_edges_open() {
    for len in [0u64, 1, 65_535, 65_536, 65_537, 131_072, 150_000] {
        let (key, sealed) = sealed(len as usize);
        let edges = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, len.saturating_sub(1), len];
        for from in edges.into_iter().filter(|edge| *edge <= len) {
            for to in edges.into_iter().filter(|edge| (from..=len).contains(edge)) {
                assert!(
                    range_of(&key, &sealed, from..to, len).unwrap() == text(len as usize)[from as usize..to as usize],
                    "{from}..{to} of {len}"
                );
            }
        }
        assert!(open_range(&key, &place(), &sealed[..80], &sealed[80..], &(0..len + 1), len).is_err());
    }
}

#[test]
fn a_range_never_gives_what_was_changed() {
    let len = 3 * CHUNK_BYTES;
    let (key, mut sealed) = sealed(len as usize);
    sealed[80 + WHOLE + 5] ^= 1;
    assert!(range_of(&key, &sealed, 0..10, len).is_ok());
    assert!(range_of(&key, &sealed, CHUNK_BYTES + 100..CHUNK_BYTES + 101, len).is_err());
    assert!(range_of(&key, &sealed, 0..len, len).is_err());
    // A length that isn't the text's moves the end: the last chunk must bear its mark.
    assert!(range_of(&key, &sealed, 0..10, CHUNK_BYTES).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_opens_whole_and_in_any_range(len in 0usize..200_000, a in 0.0..1.0f64, b in 0.0..1.0f64) {
        let (key, sealed) = sealed(len);
        let (from, to) = ((a.min(b) * len as f64) as u64, (a.max(b) * len as f64) as u64);
        prop_assert!(*open(&key, &place(), &sealed).unwrap() == text(len));
        prop_assert!(range_of(&key, &sealed, from..to, len as u64).unwrap() == text(len)[from as usize..to as usize]);
    }

    #[test]
    fn any_octets_are_refused_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..400), known_start in any::<bool>()) {
        let (key, sealed) = sealed(10);
        let octets = if known_start { [&sealed[..80], &octets].concat() } else { octets };
        prop_assert!(open(&key, &place(), &octets).is_err());
    }
}

struct Wrapped {
    master: Master,
    bucket: Bucket,
    token: Token,
    message: Id,
    key: ContentKey,
}

impl Wrapped {
    fn new() -> Wrapped {
        let day = "2026-12-21".parse().unwrap();
        Wrapped {
            master: Master::random(1),
            bucket: Bucket::random(day),
            token: Token::random(),
            message: Id::random(),
            key: ContentKey::random(),
        }
    }

    fn wrap(&self) -> record::Sealed {
        wrap(&self.master, &self.bucket, &self.token, self.message, &self.key, [Salt::random(), Salt::random()])
    }
}

#[test]
fn a_wrap_needs_the_link_the_master_key_and_the_key_of_its_day() {
    let w = Wrapped::new();
    let sealed = w.wrap();
    let opened = unwrap(&w.master, &w.bucket, &w.token, w.message, &sealed).unwrap();
    assert_eq!(opened.key().expose(), w.key.key().expose());

    assert!(unwrap(&w.master, &w.bucket, &Token::random(), w.message, &sealed).is_err());
    assert!(unwrap(&w.master, &w.bucket, &w.token, Id::random(), &sealed).is_err());
    assert!(unwrap(&w.master, &Bucket::random(w.bucket.day()), &w.token, w.message, &sealed).is_err());
    assert!(unwrap(&Master::random(1), &w.bucket, &w.token, w.message, &sealed).is_err());
}

#[test]
fn the_same_key_of_another_day_or_generation_does_not_open_a_wrap() {
    let w = Wrapped::new();
    let sealed = w.wrap();
    let file = w.master.seal_bucket(&w.bucket, Salt::random());
    assert!(w.master.open_bucket(w.bucket.day(), &file.0).is_ok());
    assert!(w.master.open_bucket("2026-12-22".parse().unwrap(), &file.0).is_err(), "a bucket key's file that was renamed");
    let next = Master::new(2, Key::new(*w.master.expose()));
    assert!(unwrap(&next, &w.bucket, &w.token, w.message, &sealed).is_err());
    assert!(next.open_bucket(w.bucket.day(), &file.0).is_err());
}

#[test]
fn fields_and_letters_stay_where_they_belong() {
    let master = Master::random(1);
    let (here, there) = (record::Key::grant(Id([1; 16])), record::Key::grant(Id([2; 16])));
    let sealed = master.seal_field("phone", &here, "+31612345678", Salt::random());
    assert_eq!(master.open_field("phone", &here, &sealed).unwrap().expose(), "+31612345678");
    assert!(master.open_field("phone", &there, &sealed).is_err(), "another grant's number");
    assert!(master.open_field("address", &here, &sealed).is_err(), "another field");

    let letter = master.seal_letter(Id([1; 16]), b"hello", Salt::random());
    assert_eq!(*master.open_letter(Id([1; 16]), &letter).unwrap(), *b"hello");
    assert!(master.open_letter(Id([2; 16]), &letter).is_err());
}

#[test]
fn a_master_key_knows_its_own_canary() {
    let (one, other) = (Master::random(1), Master::random(1));
    assert!(one.made(&one.canary(Salt::random())));
    assert!(!other.made(&one.canary(Salt::random())));
}

#[test]
fn hashes_differ_by_key_and_by_how_the_parts_are_divided() {
    let master = Master::random(1);
    assert_eq!(master.address_hash(&"Jan@B.example".parse().unwrap()), master.address_hash(&"jan@b.example".parse().unwrap()));
    assert_ne!(master.address_hash(&"a@b.example".parse().unwrap()), Master::random(1).address_hash(&"a@b.example".parse().unwrap()));
    assert_ne!(master.seen_hash(&[b"a", b"bc"]), master.seen_hash(&[b"ab", b"c"]));
    assert_ne!(master.seen_hash(&[b"a", b""]), master.seen_hash(&[b"a"]));
    assert_eq!(digest([&b"a"[..], b"bc"]), digest([&b"abc"[..]]));
}

#[test]
fn a_session_opens_with_its_cookie_only() {
    let (cookie, grant, key) = (Token::random(), Id::random(), ContentKey::random());
    let sealed = wrap_session(&cookie, grant, &key, Salt::random());
    assert_eq!(unwrap_session(&cookie, grant, &sealed).unwrap().key().expose(), key.key().expose());
    assert!(unwrap_session(&Token::random(), grant, &sealed).is_err());
    assert!(unwrap_session(&cookie, Id::random(), &sealed).is_err());
}

#[test]
fn what_derives_from_a_link_does_not_show_the_link_or_each_other() {
    let token = Token::random();
    let form = form_token(&token);
    assert!(form_token_fits(&token, form.expose()) && !form_token_fits(&Token::random(), form.expose()) && !form_token_fits(&token, ""));
    let names = [
        hex(&lookup_id(&token).0),
        hex(token.expose()),
        hex(&session_hash(&token)),
        hex(&crate::secret::from_base64url(form.expose()).unwrap()),
    ];
    for (i, a) in names.iter().enumerate() {
        for b in &names[i + 1..] {
            assert_ne!(a[..32], b[..32]);
        }
    }
}

#[test]
fn days_read_as_they_are_written() {
    let day: Day = "2026-12-21".parse().unwrap();
    assert_eq!(day.to_string(), "2026-12-21"); // Contexts and file names hold it.
}
