//! A trace through a socket: `drive TRACE PORT VALUE_BYTES REPLICAS REQUESTS`.
//!
//! For comparing misses of servers on real traffic. Every object of the trace exists REPLICAS
//! times, under keys that begin with the replica's number, and every request is made to each of
//! them in turn: GET, and SET of a value of VALUE_BYTES bytes, of the trace's own size if 0, where
//! that found nothing, as an application would. GETs go out in batches that end before a key would
//! be asked for twice, the SETs of a batch follow it. The first REQUESTS records are used, all of
//! them if 0. Prints one JSON object.

use std::collections::HashSet;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use augury_replay::trace::{SourceOptions, TraceSource};

/// Most commands of a batch.
const BATCH: usize = 128;

struct Driver {
    reader: BufReader<TcpStream>,
    out: Vec<u8>,
    /// Of all values the first bytes.
    value: Vec<u8>,
    /// Keys that are asked for, each with the size of its value.
    batch: Vec<(String, usize)>,
    known: HashSet<String>,
    misses: u64,
    requests: u64,
}

impl Driver {
    fn get(&mut self, key: String, size: usize) -> Result<(), Box<dyn Error>> {
        if self.batch.len() == BATCH || self.known.contains(&key) {
            self.flush()?;
        }
        self.known.insert(key.clone());
        if self.value.len() < size {
            self.value.resize(size, b'v');
        }
        self.batch.push((key, size));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Box<dyn Error>> {
        let batch = std::mem::take(&mut self.batch);
        self.known.clear();
        self.out.clear();
        for (key, _) in &batch {
            write!(self.out, "*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())?;
        }
        self.reader.get_mut().write_all(&self.out)?;
        self.out.clear();
        let mut sets = 0;
        for (key, size) in &batch {
            self.requests += 1;
            if !self.answer()? {
                self.misses += 1;
                sets += 1;
                let key_len = key.len();
                write!(self.out, "*3\r\n$3\r\nSET\r\n${key_len}\r\n{key}\r\n${size}\r\n")?;
                self.out.extend_from_slice(&self.value[..*size]);
                self.out.extend_from_slice(b"\r\n");
            }
        }
        self.reader.get_mut().write_all(&self.out)?;
        for _ in 0..sets {
            self.answer()?;
        }
        Ok(())
    }

    /// Whether the answer is a value (or OK).
    fn answer(&mut self) -> Result<bool, Box<dyn Error>> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        match line.as_bytes().first() {
            Some(b'+') => Ok(true),
            Some(b'_') => Ok(false),
            // A value that is too large for the server's memory is not kept.
            Some(b'-') if line.starts_with("-OOM") => Ok(false),
            Some(b'$') => {
                let len: i64 = line[1..].trim_end().parse()?;
                let Ok(len) = usize::try_from(len) else { return Ok(false) };
                let mut value = vec![0; len + 2];
                self.reader.read_exact(&mut value)?;
                Ok(true)
            }
            _ => Err(format!("the server answers {line:?}").into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [trace, port, bytes, replicas, most] = arguments.as_slice() else {
        return Err("drive TRACE PORT VALUE_BYTES REPLICAS REQUESTS".into());
    };
    let (bytes, replicas, most): (usize, u32, u64) =
        (bytes.parse()?, replicas.parse()?, most.parse()?);
    let most = if most == 0 { u64::MAX } else { most };
    let stream = TcpStream::connect(("127.0.0.1", port.parse()?))?;
    stream.set_nodelay(true)?;
    let mut driver = Driver {
        reader: BufReader::with_capacity(1 << 16, stream),
        out: Vec::new(),
        value: Vec::new(),
        batch: Vec::new(),
        known: HashSet::new(),
        misses: 0,
        requests: 0,
    };
    let begin = Instant::now();
    let mut reader = TraceSource::new(trace, SourceOptions::default())?.open()?;
    let (mut chunk, mut records) = (Vec::new(), 0);
    while records < most {
        chunk.clear();
        if reader.next_chunk(&mut chunk)? == 0 {
            break;
        }
        for request in chunk.iter().filter(|request| request.op.is_read()) {
            if records == most {
                break;
            }
            records += 1;
            let size = if bytes == 0 { usize::try_from(request.size)? } else { bytes };
            for replica in 0..replicas {
                driver.get(format!("{replica}:{:x}", request.key), size)?;
            }
        }
    }
    driver.flush()?;
    println!(
        "{{\"requests\": {}, \"misses\": {}, \"seconds\": {:.3}}}",
        driver.requests,
        driver.misses,
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}
