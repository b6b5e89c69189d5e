//! Laws of writing and reading: what is written reads back, and no bytes can do harm.

use std::io::Cursor;
use std::path::Path;

use augury_core::request::Op;
use augury_replay::trace::{
    DecodedTrace, Format, Request, SourceOptions, TraceSource, TraceWriter, convert, extent,
    object_id, read_from,
};
use proptest::prelude::*;

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let op = (0..Op::ALL.len()).prop_map(|index| Op::ALL[index]);
    let key = prop_oneof![0..20_u64, any::<u64>()];
    let origin = (any::<u32>(), any::<u16>());
    let one = (0..1000_u64, key, 1..u32::MAX, any::<u32>(), op, origin);
    proptest::collection::vec(one, 1..200).prop_map(|records| {
        let mut time = 0;
        let mut requests: Vec<Request> = Vec::new();
        for (step, key, size, ttl, op, origin) in records {
            time += step;
            let (session, namespace) = origin;
            let next = None;
            requests.push(Request { key, next, time, size, ttl, session, namespace, op });
        }
        augury_replay::trace::fill_next(&mut requests);
        requests
    })
}

fn source(path: &Path) -> TraceSource {
    TraceSource::new(path.to_str().unwrap(), SourceOptions::default()).unwrap()
}

fn write(path: &Path, format: Format, requests: &[Request]) {
    let mut writer = TraceWriter::create(path, format).unwrap();
    for part in requests.chunks(7) {
        writer.write(part).unwrap();
    }
    assert_eq!(requests.len() as u64, writer.finish().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn oracle_general_keeps_time_key_size_and_next(requests in requests(), ending in 0..3_usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(["t.oracleGeneral", "t.oracleGeneral.zst", "t.oracleGeneral.gz"][ending]);
        write(&path, Format::OracleGeneral, &requests);
        let expected: Vec<_> =
            requests.iter().map(|r| Request { next: r.next, time: r.time, ..Request::read(r.key, r.size) }).collect();
        let read: Vec<_> = source(&path).open().unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(expected, read);
    }

    #[test]
    fn keys_of_any_bytes_stay_apart_and_plain_ones_keep_their_object(
        keys in proptest::collection::hash_set(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..12),
                "[a-b \\\\\",:x0-2]{0,5}".prop_map(String::into_bytes),
            ],
            1..60,
        ),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = Vec::new();
        for (name, format) in [("t.csv", Format::Csv), ("t.oracleGeneral", Format::OracleGeneral)] {
            let path = folder.path().join(name);
            let mut writer = TraceWriter::create(&path, format).unwrap();
            let request = Request {
                key: 0,
                next: None,
                time: 1,
                size: 1,
                ttl: 0,
                op: Op::Get,
                session: 0,
                namespace: 0,
            };
            writer.write_keyed(keys.iter().map(|key| (&key[..], request))).unwrap();
            prop_assert_eq!(keys.len() as u64, writer.finish().unwrap());
            let read: Vec<_> =
                source(&path).open().unwrap().map(|request| request.unwrap().key).collect();
            ids.push(read);
        }
        prop_assert_eq!(keys.len(), ids[0].iter().collect::<std::collections::HashSet<_>>().len());
        prop_assert_eq!(&ids[0], &ids[1]);
        for (key, id) in keys.iter().zip(&ids[0]) {
            if !key.is_empty() && key.iter().all(|byte| byte.is_ascii_alphanumeric()) {
                prop_assert_eq!(object_id(key), *id);
            }
        }
    }

    #[test]
    fn csv_keeps_everything_but_next_which_is_computed(requests in requests(), ending in 0..3_usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(["t.csv", "t.csv.zst", "t.csv.gz"][ending]);
        write(&path, Format::Csv, &requests);
        let decoded = DecodedTrace::load(&source(&path)).unwrap();
        prop_assert_eq!(&requests, &decoded.requests);
        let extent = extent(&source(&path)).unwrap();
        prop_assert_eq!(decoded.objects(), extent.footprint);
    }

    #[test]
    fn conversion_there_and_back_computes_the_same_future(requests in requests()) {
        let folder = tempfile::tempdir().unwrap();
        let [csv, binary, back] =
            ["a.csv", "b.oracleGeneral.zst", "c.csv"].map(|name| folder.path().join(name));
        write(&csv, Format::Csv, &requests);
        convert(&source(&csv), &binary, Format::OracleGeneral).unwrap();
        let read: Vec<_> = source(&binary).open().unwrap().map(|r| r.unwrap().next).collect();
        prop_assert_eq!(requests.iter().map(|r| r.next).collect::<Vec<_>>(), read);
        prop_assert_eq!(
            DecodedTrace::load(&source(&csv)).unwrap().objects(),
            extent(&source(&binary)).unwrap().footprint
        );
        convert(&source(&binary), &back, Format::Csv).unwrap();
        let keys: Vec<_> = source(&back).open().unwrap().map(|r| r.unwrap().key).collect();
        prop_assert_eq!(requests.iter().map(|r| r.key).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_always_end(
        contents in proptest::collection::vec(any::<u8>(), 0..2000),
        head in 0..6_usize,
        format in 0..5_usize,
        skip_bad in any::<bool>(),
    ) {
        const HEADS: [&[u8]; 6] = [
            b"", b"time,key,size\n", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"\"key\"\t\"op\"\n",
            b"1,k,2,3,4,get,0\n",
        ];
        let bytes = [HEADS[head], &contents].concat();
        let limit = bytes.len() * 2000;
        let format = Format::ALL.get(format).copied();
        let options = SourceOptions { format, skip_bad, ..SourceOptions::default() };
        if let Ok(reader) = read_from("t", Box::new(Cursor::new(bytes)), &options) {
            let count = reader.take(limit + 1).count();
            prop_assert!(count <= limit);
        }
    }

    #[test]
    fn text_of_any_shape_never_panics_and_every_line_is_accounted_for(
        lines in proptest::collection::vec("[0-9a-c,\\-\\.\" \t;]{0,24}", 1..60),
    ) {
        let records = lines.iter().filter(|line| !line.trim().is_empty()).count() as u64;
        let contents = ["key,size,time", &lines.join("\n")].join("\n");
        let options = SourceOptions { skip_bad: true, ..SourceOptions::default() };
        let mut reader = read_from("t.csv", Box::new(Cursor::new(contents.into_bytes())), &options).unwrap();
        let good = reader.by_ref().filter(Result::is_ok).count() as u64;
        prop_assert_eq!(records, good + reader.skipped().total());
    }
}

#[test]
fn a_failed_or_abandoned_write_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.oracleGeneral");
    let request = Request { time: 1 << 40, ..Request::read(1, 1) };
    let mut writer = TraceWriter::create(&path, Format::OracleGeneral).unwrap();
    assert_eq!("time_too_large", writer.write(&[request]).unwrap_err().code());
    drop(writer);
    assert_eq!(0, std::fs::read_dir(folder.path()).unwrap().count());
    let missing = folder.path().join("no/such/folder/t.csv");
    assert_eq!("cannot_write", TraceWriter::create(&missing, Format::Csv).err().unwrap().code());
    assert_eq!("invalid_option", TraceWriter::create(&path, Format::Keys).err().unwrap().code());
}

#[test]
fn what_is_no_file_is_refused_before_anything_is_created() {
    for path in ["/dev/null", "/"] {
        let refused = TraceWriter::create(Path::new(path), Format::Csv).err().unwrap();
        assert_eq!("not_a_file", refused.code());
        assert!(refused.to_string().starts_with(&format!("{path}: is not a regular file")));
    }
}

#[test]
#[cfg(unix)]
fn a_file_keeps_its_permissions_and_the_link_that_leads_to_it() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("t.csv"), folder.path().join("link.csv"));
    std::os::unix::fs::symlink("t.csv", &link).unwrap();
    let write = || TraceWriter::create(&link, Format::Csv)?.finish();
    write().unwrap();
    assert!(fs::symlink_metadata(&file).unwrap().is_file(), "a dangling link is followed too");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    write().unwrap();
    assert_eq!(0o640, fs::metadata(&file).unwrap().permissions().mode() & 0o777);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    fs::set_permissions(&file, Permissions::from_mode(0o440)).unwrap();
    assert_eq!("cannot_write", write().unwrap_err().code());
    assert_eq!(2, fs::read_dir(folder.path()).unwrap().count());
}

#[test]
fn a_trace_is_not_converted_onto_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "key\n1\n2\n").unwrap();
    assert_eq!("invalid_option", convert(&source(&path), &path, Format::Csv).unwrap_err().code());
    assert_eq!("key\n1\n2\n", std::fs::read_to_string(&path).unwrap());
}

#[test]
fn clients_and_namespaces_are_read_where_they_are_written() {
    let read = |contents: &str| -> Vec<(u32, u16)> {
        let contents = Box::new(Cursor::new(contents.to_owned().into_bytes()));
        let reader = read_from("t", contents, &SourceOptions::default()).unwrap();
        reader.map(|r| r.map(|r| (r.session, r.namespace)).unwrap()).collect()
    };
    let twitter = read("0,user:1,1,1,7,get,0\n1,user:2,1,1,8,get,0\n2,page:1,1,1,0,get,0\n");
    assert_eq!([7, 8, 0], [0, 1, 2].map(|at| twitter[at].0));
    let plain = read("user:1\nuser:2\npage:1\n");
    assert_eq!([0, 1, 2].map(|at| twitter[at].1), [0, 1, 2].map(|at| plain[at].1));
    assert!(plain[0].1 > 0 && plain[0].1 == plain[1].1 && plain[1].1 != plain[2].1);
    assert_eq!(vec![(9, 0), (0, 0)], read("time,key,client\n0,1,9\n1,2,\n"));
    assert_eq!(vec![(9, 4), (3, 0)], read("key,session,namespace\na:1,9,4\na:2,3,\n"));
    assert_eq!(vec![(0, plain[0].1)], read("key,size\nuser:1,4\n"));
}

#[test]
fn columns_can_be_named_numbered_and_quoted() {
    let read = |contents: &str, columns: &str| {
        let options =
            SourceOptions { columns: columns.parse().unwrap(), ..SourceOptions::default() };
        let contents = Box::new(Cursor::new(contents.to_owned().into_bytes()));
        let options = SourceOptions { format: Some(Format::Csv), ..options };
        let reader = read_from("t", contents, &options).unwrap();
        reader.map(|r| r.map(|r| (r.time, r.key, r.size)).map_err(|e| e.code())).collect::<Vec<_>>()
    };
    let expected = vec![Ok((3, 9, 10)), Ok((4, 8, 20))];
    assert_eq!(expected, read("3;9;10\n4;8;20\n", "time=1,key=2,size=3"));
    assert_eq!(expected, read("a;b;c\n3;9;10\n4;8;20\n", "time=1,key=2,size=3"));
    assert_eq!(expected, read("\u{feff}Bytes|OBJ|when\n10|9|3\n20|8|4\n", "key=obj,time=when"));
    assert_eq!(expected, read("\"ts\",\"key\",\"size\"\r\n3,\"9\",10\r\n\"4\",8,\"20\"\r\n", ""));
    let sum = read("key,key_size,value_size\n1,5,7\n", "key_size=key_size");
    assert_eq!(vec![Ok((0, 1, 12))], sum);
    assert_eq!(vec![Ok((0, 1, 7))], read("key,key_size,value_size\n1,5,7\n", ""));
    assert_eq!(vec![Err("wrong_columns")], read("key,size\n\"a,1\n", ""));
    for bad in ["key", "what=1", "key=0", "key="] {
        assert_eq!(
            "invalid_option",
            bad.parse::<augury_replay::trace::Columns>().unwrap_err().code()
        );
    }
}
