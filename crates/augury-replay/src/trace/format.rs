//! Which format a trace is in, told by its name and its first bytes, and what it is called.
//!
//! This module must not read records; it looks at one window and decides.

use std::fmt;
use std::str::FromStr;

use super::columns::Layout;
use super::error::TraceError;
use super::fields::shown;
use super::oracle_general;

/// The trace formats that augury reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// libCacheSim's 24-byte binary records.
    OracleGeneral,
    /// Twitter's cache-trace: `time,key,key_size,value_size,client,op,ttl` without a header.
    Twitter,
    /// Any delimited text, columns by name or number.
    Csv,
    /// One key per line.
    Keys,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] =
        [Format::OracleGeneral, Format::Twitter, Format::Csv, Format::Keys];

    /// The name used by `--trace-format`.
    pub const fn name(self) -> &'static str {
        match self {
            Format::OracleGeneral => "oracleGeneral",
            Format::Twitter => "twitter",
            Format::Csv => "csv",
            Format::Keys => "keys",
        }
    }

    /// The format of a file with this name and these first (decompressed) bytes.
    ///
    /// A name that says oracleGeneral decides; then text is looked at; then binary contents that
    /// satisfy oracleGeneral's own rules are taken for it.
    pub fn detect(file: &str, head: &[u8]) -> Result<Format, TraceError> {
        let suffixes = suffixes(file);
        if suffixes.iter().any(|suffix| suffix == "oraclegeneral") {
            return Ok(Format::OracleGeneral);
        }
        let names_csv = suffixes.iter().any(|suffix| suffix == "csv" || suffix == "tsv");
        if is_text(head) {
            return detect_text(file, head, names_csv);
        }
        if names_csv {
            return Ok(Format::Csv);
        }
        if suffixes.iter().any(|suffix| suffix == "txt" || suffix == "keys") {
            return Ok(Format::Keys);
        }
        if oracle_general::is_plausible(head) {
            return Ok(Format::OracleGeneral);
        }
        let found = format!(
            "binary contents that are not oracleGeneral (they begin {:02x?})",
            &head[..head.len().min(8)]
        );
        Err(TraceError::UnknownFormat { file: file.to_owned(), found })
    }
}

fn detect_text(file: &str, head: &[u8], names_csv: bool) -> Result<Format, TraceError> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let names_keys = suffixes(file).iter().any(|suffix| suffix == "keys");
    if is_access_log(line) || is_json(line) && !names_keys {
        return Err(TraceError::IsLog { file: file.to_owned(), name: trace_name(file) });
    }
    match Layout::of_line(line) {
        Layout::Twitter => return Ok(Format::Twitter),
        Layout::Header => return Ok(Format::Csv),
        _ if names_csv => return Ok(Format::Csv),
        Layout::Single => return Ok(Format::Keys),
        Layout::Unnamed => {}
    }
    let shown = shown(line);
    Err(TraceError::UnknownFormat {
        file: file.to_owned(),
        found: format!(
            "text without a header that names its columns (the first line is {shown:?})"
        ),
    })
}

/// Whether a line is of an access log in the common or combined format: `... [10/Oct/2026:13:55:36
/// +0000] "...`.
fn is_access_log(line: &[u8]) -> bool {
    let Some(at) = line.windows(2).position(|pair| pair == b" [") else { return false };
    let rest = &line[at + 2..];
    let is_date =
        rest.get(2) == Some(&b'/') && rest.get(6) == Some(&b'/') && rest.get(11) == Some(&b':');
    is_date && rest.windows(3).any(|three| three == b"] \"")
}

/// Whether a line is an object of JSON.
fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some(inside) = line.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")) else {
        return false;
    };
    inside.trim_ascii_start().starts_with(b"\"")
}

/// Whether these bytes can be the beginning of a text file.
fn is_text(head: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if head.iter().any(control) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character cut by the end of the window.
        Err(error) => error.error_len().is_none(),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn suffixes(path: &str) -> Vec<String> {
    file_name(path).split('.').skip(1).map(str::to_ascii_lowercase).collect()
}

/// The trace's name: its file's name without the endings that say how it is stored.
pub(crate) fn trace_name(path: &str) -> String {
    const ENDINGS: [&str; 12] = [
        ".zst",
        ".zstd",
        ".gz",
        ".gzip",
        ".oraclegeneral",
        ".csv",
        ".tsv",
        ".txt",
        ".keys",
        ".bin",
        ".trace",
        ".twitter",
    ];
    if path == "-" {
        return "stdin".to_owned();
    }
    let mut name = file_name(path);
    'strip: loop {
        let lower = name.to_ascii_lowercase();
        for ending in ENDINGS {
            if lower.len() > ending.len() && lower.ends_with(ending) {
                name = &name[..name.len() - ending.len()];
                continue 'strip;
            }
        }
        return name.to_owned();
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Format, TraceError> {
        Format::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(text)).ok_or_else(
            || TraceError::InvalidOption {
                option: "--trace-format".to_owned(),
                found: text.to_owned(),
                expected: "one of oracleGeneral, twitter, csv, keys".to_owned(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_named_by_its_file_without_storage_endings() {
        for (path, name) in [
            ("../traces/arc_p3.oracleGeneral.zst", "arc_p3"),
            ("a.b.csv.gz", "a.b"),
            ("keys", "keys"),
            (".csv", ".csv"),
            ("-", "stdin"),
        ] {
            assert_eq!(name, trace_name(path));
        }
    }

    #[test]
    fn contents_decide_where_the_name_does_not() {
        let detect = |name: &str, head: &[u8]| Format::detect(name, head).map_err(|e| e.code());
        let record = [0_u8; 16].into_iter().chain((-1_i64).to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(Ok(Format::OracleGeneral), detect("x", &record));
        assert_eq!(Ok(Format::Twitter), detect("x", b"0,k,v,a,3,10,7,get,0\n"));
        assert_eq!(Ok(Format::Csv), detect("x", b"ts\tobj_id\n1\t2\n"));
        assert_eq!(Ok(Format::Keys), detect("x", b"alpha\nbeta\n"));
        assert_eq!(Err("unknown_format"), detect("x", b"1,2,3\n"));
        assert_eq!(Err("unknown_format"), detect("x", &[0x9c; 64]));
        assert_eq!(Ok(Format::Csv), detect("x.csv", b"1,2,3\n"));
        let log = br#"127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a.png HTTP/1.1" 200 2326"#;
        assert_eq!(Err("is_log"), detect("access.log", log));
        assert_eq!(Err("is_log"), detect("access.csv", log));
        let silent = br#"::1 - - [10/Oct/2026:13:55:36 +0000] "-" 408 0"#;
        assert_eq!(Err("is_log"), detect("access.keys", silent));
        for line in [&b"{\"ts\": 1, \"uri\": \"/a\"}\n"[..], b"{ \"ts\": 1 }\r\n"] {
            assert_eq!(Err("is_log"), detect("x", line));
            assert_eq!(Ok(Format::Keys), detect("x.keys", b"{\"a\":1}\n"));
        }
        assert_eq!(Ok(Format::Keys), detect("x", b"{user:1}\n{user:2}\n"));
    }

    #[test]
    fn every_format_name_reads_back() {
        for format in Format::ALL {
            assert_eq!(format, format.name().parse().unwrap());
        }
        assert_eq!("invalid_option", "xml".parse::<Format>().unwrap_err().code());
    }
}
