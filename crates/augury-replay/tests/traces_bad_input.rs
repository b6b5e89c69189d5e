//! Law: every bad input gets its designed error, which names the file and the place; and with
//! `skip_bad` the good records come through and the bad ones are counted.

use std::io::{Cursor, Read, Write};

use augury_replay::trace::{
    Format, LINE_LIMIT, Request, SourceOptions, TraceError, TraceSource, read_from,
};

type Outcome = (Vec<Request>, Option<TraceError>, Vec<(&'static str, u64)>);

fn read_stream(name: &str, contents: Box<dyn Read + Send>, options: &SourceOptions) -> Outcome {
    let mut reader = match read_from(name, contents, options) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error), Vec::new()),
    };
    let (mut requests, mut failure) = (Vec::new(), None);
    for outcome in reader.by_ref() {
        match outcome {
            Ok(request) => requests.push(request),
            Err(error) => failure = Some(error),
        }
    }
    let skipped = reader.skipped().iter().collect();
    (requests, failure, skipped)
}

fn read(name: &str, contents: &[u8], skip_bad: bool) -> Outcome {
    let options = SourceOptions { skip_bad, ..SourceOptions::default() };
    read_stream(name, Box::new(Cursor::new(contents.to_vec())), &options)
}

/// Stops with `code` in a message that holds all of `words`; skipping leaves `good` requests.
#[track_caller]
fn expect(name: &str, contents: &[u8], code: &'static str, words: &[&str], good: usize) {
    let (_, failure, _) = read(name, contents, false);
    let failure = failure.expect("reading stops");
    assert_eq!(code, failure.code(), "{failure}");
    let message = failure.to_string();
    for word in words.iter().chain(&[name]) {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
    let (requests, failure, skipped) = read(name, contents, true);
    assert_eq!(None, failure.map(|error| error.to_string()));
    assert_eq!(good, requests.len());
    assert!(skipped.iter().any(|(kind, _)| *kind == code), "{skipped:?}");
}

fn record(time: u32, key: u64, size: u32, next: i64) -> Vec<u8> {
    let mut bytes = time.to_le_bytes().to_vec();
    bytes.extend(key.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(next.to_le_bytes());
    bytes
}

#[test]
fn a_cut_off_record_is_one_bad_record() {
    let mut contents = [record(1, 7, 10, 1), record(2, 7, 10, -1), record(3, 8, 1, -1)].concat();
    contents.truncate(2 * 24 + 5);
    let words = ["byte 48", "found 5 bytes", "expected 24", "--skip-bad"];
    expect("t.oracleGeneral", &contents, "truncated_record", &words, 2);
}

#[test]
fn next_indices_are_not_handed_out_when_records_may_be_left_out() {
    let contents = [record(1, 7, 10, 1), record(2, 7, 10, -1)].concat();
    let next = |skip| {
        read("t.oracleGeneral", &contents, skip).0.iter().map(|r| r.next).collect::<Vec<_>>()
    };
    assert_eq!(vec![Some(1), None], next(false));
    assert_eq!(vec![None, None], next(true));
}

#[test]
fn a_next_request_in_the_past_is_not_oracle_general() {
    let contents = [record(1, 7, 10, 1), record(2, 7, 10, 0), record(2, 8, 0, -1)].concat();
    let words = ["byte 24", "request 1 names 0", "--trace-format"];
    expect("t.oracleGeneral", &contents, "bad_next", &words, 2);
}

#[test]
fn time_going_backwards_stops_in_every_format_with_time() {
    let binary = [record(5, 7, 1, -1), record(4, 8, 1, -1), record(6, 9, 1, -1)].concat();
    expect("t.oracleGeneral", &binary, "time_backwards", &["byte 24", "found 4 s after 5 s"], 2);
    let csv = b"ts,id\n5,a\n4,b\n6,c\n";
    expect("t.csv", csv, "time_backwards", &["line 3", "found 4 s after 5 s"], 2);
    let twitter = b"5,a,1,2,0,get,0\n4,b,1,2,0,get,0\n6,c,1,2,0,get,0\n";
    expect("cluster", twitter, "time_backwards", &["line 2"], 2);
}

#[test]
fn wrong_columns_are_counted_against_the_first_line() {
    let words = ["line 3", "found 2 columns", "expected 3", "--columns"];
    expect("t.csv", b"time,key,size\n1,a,5\n2,b\n3,c,5\n", "wrong_columns", &words, 2);
    let twitter = b"1,a,1,2,0,get,0\n2,b\n3,c,1,2,0,get,0\n";
    expect("t", twitter, "wrong_columns", &["line 2", "found 2 columns", "expected 7"], 2);
}

#[test]
fn a_file_without_a_key_column_cannot_be_read_even_skipping() {
    for skip_bad in [false, true] {
        let (_, failure, _) = read("t.csv", b"when,what\n1,a\n", skip_bad);
        let message = failure.unwrap().to_string();
        assert!(message.contains("the columns when, what"), "{message}");
        assert!(message.contains("key, id, object"), "{message}");
    }
}

#[test]
fn numbers_out_of_range_name_the_value_and_the_range() {
    let csv = |value: &str| format!("key,size\na,1\nb,{value}\nc,3\n").into_bytes();
    expect("t.csv", &csv("-5"), "negative_size", &["line 3", "negative size -5"], 2);
    expect("t.csv", &csv("4294967296"), "size_too_large", &["4294967296", "4294967295"], 2);
    expect("t.csv", &csv("1e99"), "size_too_large", &["1e99"], 2);
    expect("t.csv", &csv("ten"), "not_a_number", &["column size", "\"ten\""], 2);
    let times = b"time,key\n1,a\n-2,b\n3,c\n";
    expect("t.csv", times, "not_a_number", &["column time", "\"-2\"", "0 or later"], 2);
    let ops = b"key,op\na,get\nb,teleport\n";
    expect("t.csv", ops, "unknown_operation", &["\"teleport\"", "replace cas"], 1);
}

#[test]
fn size_zero_is_the_size_of_the_smallest_object() {
    assert_eq!(1, read("t.csv", b"key,size\na,0\n", false).0[0].size);
    assert_eq!(1, read("t.oracleGeneral", &record(0, 1, 0, -1), false).0[0].size);
}

#[test]
fn a_long_line_is_refused_at_once_and_passed_over_when_skipping() {
    let contents = [b"alpha\n", &[b'x'; LINE_LIMIT + 1][..], b"\nomega\n"].concat();
    let words = ["line 2", "byte 6", "longer than 1048576 bytes"];
    expect("t.keys", &contents, "line_too_long", &words, 2);
    let longest = [&[b'x'; LINE_LIMIT][..], b"\nomega"].concat();
    assert_eq!(2, read("t.keys", &longest, false).0.len());
}

/// Endless bytes that count how many were taken.
struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(b'x');
        self.0.fetch_add(buffer.len(), std::sync::atomic::Ordering::Relaxed);
        Ok(buffer.len())
    }
}

#[test]
fn an_endless_line_is_refused_after_little_more_than_the_limit() {
    for format in [Format::Keys, Format::Csv, Format::Twitter] {
        let taken = std::sync::Arc::default();
        let options = SourceOptions { format: Some(format), ..SourceOptions::default() };
        let source = Box::new(Endless(std::sync::Arc::clone(&taken)));
        let (requests, failure, _) = read_stream("endless", source, &options);
        assert!(requests.is_empty());
        let code = failure.unwrap().code();
        assert!(["line_too_long", "wrong_columns"].contains(&code), "{code}");
        assert!(taken.load(std::sync::atomic::Ordering::Relaxed) < 2 * LINE_LIMIT);
    }
}

#[test]
fn binary_garbage_is_named_with_its_place() {
    let words = ["line 2", "byte 8", "0x00", "--trace-format oracleGeneral"];
    expect("t.csv", b"key\nab\nc\0d\ne\n".as_slice(), "binary_data", &["line 3", "byte 8"], 2);
    expect("t.keys", b"ab\ncdefg\0h\ne\n", "binary_data", &words, 2);
    expect("t.keys", b"ab\n\xff\xfe\ne\n", "binary_data", &["0xff", "not UTF-8"], 2);
    let garbage: Vec<u8> =
        (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (_, failure, _) = read("t", &garbage, false);
    assert_eq!("unknown_format", failure.unwrap().code());
    let (_, failure, _) = read("t.csv", &garbage, false);
    assert_eq!("binary_data", failure.unwrap().code());
}

#[test]
fn an_empty_file_is_empty_in_any_disguise() {
    let zstd = zstd::encode_all(&b""[..], 3).unwrap();
    for (name, contents) in
        [("t", &b""[..]), ("t.zst", &zstd), ("t.csv", b"time,key\n"), ("t.keys", b"\n\n  \n")]
    {
        for skip_bad in [false, true] {
            let (_, failure, _) = read(name, contents, skip_bad);
            assert_eq!("empty", failure.unwrap().code(), "{name}");
        }
    }
    let (_, failure, _) = read("t.csv", b"key,size\na,-1\n", true);
    assert!(failure.unwrap().to_string().contains("all 1 records are bad"));
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(contents).unwrap();
    out.finish().unwrap()
}

#[test]
fn compression_is_told_by_its_bytes_and_not_by_the_name() {
    let text = b"time,key\n1,a\n2,b\n";
    for contents in [gzip(text), zstd::encode_all(&text[..], 3).unwrap(), text.to_vec()] {
        for name in ["t", "t.csv.gz", "t.csv.zst"] {
            assert_eq!(2, read(name, &contents, false).0.len(), "{name}");
        }
    }
    let two = [gzip(b"time,key\n1,a\n"), gzip(b"2,b\n")].concat();
    assert_eq!(2, read("t", &two, false).0.len(), "members of one gzip file follow each other");
}

#[test]
fn a_damaged_stream_keeps_what_comes_before_when_skipping() {
    let key = |index: u64| index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let lines: String = (0..100_000).map(|index| format!("{}\n", key(index))).collect();
    for (name, mut contents) in [
        ("t.zst", zstd::encode_all(lines.as_bytes(), 3).unwrap()),
        ("t.gz", gzip(lines.as_bytes())),
    ] {
        contents.truncate(contents.len() * 3 / 4);
        let (_, failure, _) = read(name, &contents, false);
        assert_eq!("bad_compression", failure.unwrap().code());
        let (requests, failure, skipped) = read(name, &contents, true);
        assert!(failure.is_none());
        assert_eq!(vec![("bad_compression", 1)], skipped);
        let expected: Vec<u64> = (0..requests.len() as u64).map(key).collect();
        let keys: Vec<u64> = requests.iter().map(|request| request.key).collect();
        assert!(keys.len() > 1000 && expected == keys, "no half line at the damage in {name}");
        let at = contents.len() / 2;
        contents[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let (_, failure, _) = read(name, &contents, false);
        assert_eq!("bad_compression", failure.unwrap().code());
    }
}

#[test]
fn what_cannot_be_opened_says_so() {
    let code = |path: &str| {
        let source = TraceSource::new(path, SourceOptions::default()).unwrap();
        source.open().err().unwrap().code()
    };
    assert_eq!("cannot_open", code("/nonexistent/trace"));
    assert_eq!("cannot_open", code("/"));
    let synthetic = TraceSource::new("synthetic:nonsense", SourceOptions::default());
    assert_eq!("unknown_synthetic", synthetic.err().unwrap().code());
}
