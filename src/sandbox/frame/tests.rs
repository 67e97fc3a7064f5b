use super::*;

fn part() -> Unopened {
    Unopened { part: "a".into(), name: String::new(), media_type: String::new(), octets: bytes::Bytes::new(), depth: 1, at: 0 }
}

/// What is taken of one piece.
fn taken(piece: Piece, limits: &Limits) -> Result<Extraction, Refused> {
    let (mut said, mut answer) = (Vec::new(), Answer::new(&part(), limits));
    put(&mut said, piece);
    let header = answer.header(*said.first_chunk().unwrap())?;
    assert_eq!(answer.frame(header, said.split_off(HEADER))?, None);
    Ok(answer.extraction)
}

fn text(text: &str, places: Places, spans: Vec<(Range<usize>, Span)>) -> Piece {
    Piece::Text(Text { part: "a > \"b\"".into(), source: Source::Attachment, text: text.into(), places, spans })
}

#[test]
fn what_lies_behind_a_cut_is_brought_back_into_the_text() {
    let cell = Cell { sheet: 1, row: 2, column: 3 };
    // Cut behind "één"; the second stretch began within a letter that is gone.
    let spans = vec![(1..9, Span::Hidden), (6..7, Span::Padded)];
    let extraction = taken(text("één", Places::Cells(vec![(0, cell), (9, cell)]), spans), &Limits::default()).unwrap();
    assert_eq!(extraction.texts[0].places, Places::Cells(vec![(0, cell), (5, cell)]));
    assert_eq!(extraction.texts[0].spans, [(0..5, Span::Hidden), (5..5, Span::Padded)]);
}

#[test]
fn a_worker_gives_no_more_text_than_it_may_and_no_reason_of_its_own() {
    let limits = Limits { text: 5, ..Limits::default() };
    assert!(taken(text("12345", Places::Lines, Vec::new()), &limits).is_ok());
    assert_eq!(taken(text("123456", Places::Lines, Vec::new()), &limits).err(), Some(Refused::TooMuch));
    let problem = Problem { part: "a".into(), place: None, kind: ProblemKind::Damaged, reason: "<b>call 0900-123</b>" };
    let extraction = taken(Piece::Problem(problem), &limits).unwrap();
    assert_eq!((extraction.problems[0].kind, extraction.problems[0].reason), (ProblemKind::Damaged, UNLISTED));
}

#[test]
fn facts_are_told_of_the_workers_own_part_only() {
    let fact = |part: &str| Piece::Fact(Fact { part: part.into(), kind: FactKind::WrongExtension });
    let facts = taken(fact("a > \"b.pdf\""), &Limits::default()).unwrap().facts;
    assert_eq!(facts, [Fact { part: "a > \"b.pdf\"".into(), kind: FactKind::WrongExtension }]);
    assert_eq!(taken(fact("b"), &Limits::default()).err(), Some(Refused::Malformed));
}

#[test]
fn pictures_are_taken_within_what_a_mail_may_have_and_of_the_own_part() {
    let picture = |part: &str, page| Piece::Picture(Picture { part: part.into(), page, octets: b"12345".as_slice().into() });
    let limits = |pictures, picture_octets| Limits { pictures, picture_octets, ..Limits::default() };
    let taken = |piece: Piece, limits: &Limits| {
        let (mut said, mut answer) = (Vec::new(), Answer::new(&part(), limits));
        put(&mut said, piece);
        let header = answer.header(*said.first_chunk().unwrap())?;
        answer.frame(header, said.split_off(HEADER)).map(|_| answer.pictures)
    };
    for page in [None, Some(1), Some(usize::MAX)] {
        assert_eq!(
            taken(picture("a > b", page), &limits(1, 5)).unwrap(),
            [Picture { part: "a > b".into(), page, octets: b"12345".as_slice().into() }]
        );
    }
    assert_eq!(taken(picture("a", None), &limits(0, 5)).err(), Some(Refused::TooMuch), "nobody looks");
    assert_eq!(taken(picture("a", None), &limits(1, 4)).err(), Some(Refused::TooMuch));
    assert_eq!(taken(picture("b", None), &limits(1, 5)).err(), Some(Refused::Malformed));
}
