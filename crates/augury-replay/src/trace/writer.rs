//! Writing a trace: oracleGeneral or CSV, compressed as the file's name says.
//!
//! Requests go to a temporary file beside the target, which takes the target's name only when
//! [`TraceWriter::finish`] has written everything: a reader never sees half a trace, and a failed
//! write leaves nothing behind. A file that is already there keeps its permissions, a link leads
//! to where the file goes, and what is no file (a device, a pipe, a folder) is refused.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::TraceError;
use super::fields::{namespace_of, object_id};
use super::format::Format;
use super::key_text::{append_key, key_text};
use super::oracle_general::Record;
use super::request::Request;

/// More links in a row than any system follows.
const MOST_LINKS: usize = 40;

enum Sink {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
}

impl Sink {
    fn new(file: File, name: &str) -> io::Result<Sink> {
        let out = BufWriter::with_capacity(1 << 16, file);
        let name = name.to_ascii_lowercase();
        Ok(if name.ends_with(".zst") || name.ends_with(".zstd") {
            Sink::Zstd(zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?)
        } else if name.ends_with(".gz") || name.ends_with(".gzip") {
            Sink::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default()))
        } else {
            Sink::Plain(out)
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Sink::Plain(out) => out,
            Sink::Zstd(out) => out,
            Sink::Gzip(out) => out,
        }
    }

    fn finish(self) -> io::Result<()> {
        let out = match self {
            Sink::Plain(out) => out,
            Sink::Zstd(out) => out.finish()?,
            Sink::Gzip(out) => out.finish()?,
        };
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

/// Writes requests to one file.
pub struct TraceWriter {
    path: PathBuf,
    name: String,
    temporary: tempfile::TempPath,
    sink: Sink,
    format: Format,
    index: u64,
    buffer: Vec<u8>,
}

impl TraceWriter {
    /// Begins a file in `format`: oracleGeneral or csv.
    ///
    /// oracleGeneral keeps time, key, size and [`Request::next`] (which the caller must have
    /// filled in) and drops operation, TTL, session and namespace; CSV is
    /// `time,key,size,op,ttl,session,namespace` and drops only the next index, which follows.
    pub fn create(path: &Path, format: Format) -> Result<Self, TraceError> {
        if !matches!(format, Format::OracleGeneral | Format::Csv) {
            return Err(TraceError::InvalidOption {
                option: "format to write".to_owned(),
                found: format.to_string(),
                expected: "oracleGeneral or csv".to_owned(),
            });
        }
        let name = path.to_string_lossy().into_owned();
        let path = followed(path);
        let kept = permissions_to_keep(&path, &name)?;
        let opened = temporary_beside(&path).and_then(|temporary| {
            let (file, temporary) = temporary.into_parts();
            if let Some(kept) = kept {
                file.set_permissions(kept)?;
            }
            Ok((Sink::new(file, &name)?, temporary))
        });
        let (sink, temporary) =
            opened.map_err(|source| TraceError::CannotWrite { file: name.clone(), source })?;
        let mut writer =
            TraceWriter { path, name, temporary, sink, format, index: 0, buffer: Vec::new() };
        if format == Format::Csv {
            writer.buffer.extend_from_slice(b"time,key,size,op,ttl,session,namespace\n");
        }
        Ok(writer)
    }

    /// Writes the next requests of the trace.
    pub fn write(&mut self, requests: &[Request]) -> Result<(), TraceError> {
        for request in requests {
            self.encode(request)?;
            self.index += 1;
        }
        self.flush_buffer()
    }

    /// Writes the next requests under their keys as bytes, which stand for [`Request::key`].
    ///
    /// The namespace is the key's own. CSV keeps a key as text, escaped by backslashes where it is none; oracleGeneral gets the
    /// object id that this text reads as.
    pub fn write_keyed<'a>(
        &mut self,
        requests: impl IntoIterator<Item = (&'a [u8], Request)>,
    ) -> Result<(), TraceError> {
        for (key, request) in requests {
            if self.format == Format::Csv {
                let Request { time, size, ttl, op, session, .. } = request;
                let (op, namespace) = (op.name(), namespace_of(key));
                let mut write = || {
                    write!(self.buffer, "{time},")?;
                    append_key(key, &mut self.buffer);
                    writeln!(self.buffer, ",{size},{op},{ttl},{session},{namespace}")
                };
                write().map_err(|source| self.cannot_write(source))?;
            } else {
                self.encode(&Request { key: object_id(&key_text(key)), ..request })?;
            }
            self.index += 1;
        }
        self.flush_buffer()
    }

    /// Completes the file and gives it its name; the number of requests written.
    pub fn finish(mut self) -> Result<u64, TraceError> {
        self.flush_buffer()?;
        let TraceWriter { path, name, temporary, sink, index, .. } = self;
        let finished = sink.finish().and_then(|()| temporary.persist(path).map_err(Into::into));
        finished.map_err(|source| TraceError::CannotWrite { file: name, source })?;
        Ok(index)
    }

    fn encode(&mut self, request: &Request) -> Result<(), TraceError> {
        if self.format == Format::Csv {
            let Request { time, key, size, ttl, session, namespace, op, .. } = *request;
            let op = op.name();
            let line =
                writeln!(self.buffer, "{time},{key},{size},{op},{ttl},{session},{namespace}");
            return line.map_err(|source| self.cannot_write(source));
        }
        match Record::encode(request) {
            Some(record) => self.buffer.extend_from_slice(&record),
            None => {
                return Err(TraceError::TimeTooLarge {
                    file: self.name.clone(),
                    index: self.index,
                    found: request.time,
                });
            }
        }
        Ok(())
    }

    fn flush_buffer(&mut self) -> Result<(), TraceError> {
        let written = self.sink.writer().write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|source| self.cannot_write(source))
    }

    fn cannot_write(&self, source: io::Error) -> TraceError {
        TraceError::CannotWrite { file: self.name.clone(), source }
    }
}

/// Where the path leads, through links, be there a file or not.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    path
}

/// The permissions of the file that is to be replaced, if there is one.
fn permissions_to_keep(path: &Path, name: &str) -> Result<Option<Permissions>, TraceError> {
    let cannot_write = |source| TraceError::CannotWrite { file: name.to_owned(), source };
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(TraceError::NotAFile { file: name.to_owned() }),
        Ok(found) if found.permissions().readonly() => Err(cannot_write(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file there is read-only",
        ))),
        Ok(found) => Ok(Some(found.permissions())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot_write(error)),
    }
}

/// A temporary file in the target's folder, with the permissions a new file has.
fn temporary_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".augury-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    fs::metadata(folder)?;
    // The system's word alone: the temporary file's name means nothing to anyone.
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}
