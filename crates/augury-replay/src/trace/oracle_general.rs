//! oracleGeneral, libCacheSim's binary format: 24-byte little-endian records without a header.
//!
//! `time u32 | object id u64 | size u32 | next request for the object i64` (-1, or the largest
//! number, where there is none). A window of records is first checked by a branch-free fold, then
//! decoded; only a window that fails the check is gone through record by record.

use std::sync::Arc;

use super::bytes::{ByteStream, Progress};
use super::error::{Position, TraceError};
use super::reader::RecordStream;
use super::request::Request;
use super::skip::{BadRecords, Clock, Skipped};

/// Bytes per record.
pub(crate) const RECORD: usize = 24;

/// No trace has more requests: an index beyond it is not an index.
const LARGEST_INDEX: i64 = 1 << 48;

#[derive(Clone, Copy)]
pub(crate) struct Record {
    time: u32,
    key: u64,
    size: u32,
    next: i64,
}

impl Record {
    /// The record of this request, or `None` where its time or next index is out of range.
    pub(crate) fn encode(request: &Request) -> Option<[u8; RECORD]> {
        let time = u32::try_from(request.time).ok()?;
        let next = request.next.map_or(Some(-1), |next| i64::try_from(next).ok())?;
        let mut bytes = [0; RECORD];
        bytes[0..4].copy_from_slice(&time.to_le_bytes());
        bytes[4..12].copy_from_slice(&request.key.to_le_bytes());
        bytes[12..16].copy_from_slice(&request.size.to_le_bytes());
        bytes[16..24].copy_from_slice(&next.to_le_bytes());
        Some(bytes)
    }

    fn decode(bytes: &[u8; RECORD]) -> Record {
        let [t0, t1, t2, t3, k0, k1, k2, k3, k4, k5, k6, k7, s0, s1, s2, s3, next @ ..] = *bytes;
        Record {
            time: u32::from_le_bytes([t0, t1, t2, t3]),
            key: u64::from_le_bytes([k0, k1, k2, k3, k4, k5, k6, k7]),
            size: u32::from_le_bytes([s0, s1, s2, s3]),
            next: i64::from_le_bytes(next),
        }
    }

    fn next_is_valid(self, index: u64) -> bool {
        let later = self.next > index as i64 && self.next < LARGEST_INDEX;
        later | (self.next == -1) | (self.next == i64::MAX)
    }

    fn request(self, with_next: bool, time: u64) -> Request {
        let is_index = with_next & (self.next >= 0) & (self.next != i64::MAX);
        Request {
            next: is_index.then_some(self.next as u64),
            time,
            ..Request::read(self.key, self.size.max(1))
        }
    }
}

/// Whether these first bytes of a file can be oracleGeneral.
pub(crate) fn is_plausible(head: &[u8]) -> bool {
    let (records, _) = head.as_chunks::<RECORD>();
    let mut previous = 0;
    !records.is_empty()
        && records.iter().take(64).enumerate().all(|(index, bytes)| {
            let record = Record::decode(bytes);
            let in_order = record.time >= previous;
            previous = record.time;
            in_order && record.next_is_valid(index as u64)
        })
}

/// Reads records from a byte stream.
pub(crate) struct OracleGeneralReader {
    bytes: ByteStream,
    decoder: Decoder,
}

impl OracleGeneralReader {
    pub(crate) fn new(bytes: ByteStream, skip_bad: bool) -> Self {
        let decoder = Decoder {
            file: bytes.file(),
            index: 0,
            clock: Clock::default(),
            with_next: !skip_bad,
            bad: BadRecords::new(skip_bad),
        };
        OracleGeneralReader { bytes, decoder }
    }
}

/// What reading has come to, apart from the bytes.
struct Decoder {
    file: Arc<str>,
    index: u64,
    clock: Clock,
    with_next: bool,
    bad: BadRecords,
}

impl Decoder {
    fn decode(
        &mut self,
        records: &[[u8; RECORD]],
        out: &mut Vec<Request>,
    ) -> Result<(), TraceError> {
        if let Some(last) = self.last_time_if_all_valid(records) {
            let with_next = self.with_next;
            out.extend(records.iter().map(|bytes| {
                let record = Record::decode(bytes);
                record.request(with_next, u64::from(record.time))
            }));
            self.clock.jump(u64::from(last));
            self.index += records.len() as u64;
            return Ok(());
        }
        for bytes in records {
            match self.check(Record::decode(bytes)) {
                Ok(request) => out.push(request),
                Err(error) => self.bad.judge(error)?,
            }
            self.index += 1;
        }
        Ok(())
    }

    fn last_time_if_all_valid(&self, records: &[[u8; RECORD]]) -> Option<u32> {
        let mut previous = Record::decode(records.first()?).time;
        let mut valid = self.clock.accepts(u64::from(previous));
        for (index, bytes) in (self.index..).zip(records) {
            let record = Record::decode(bytes);
            valid &= (record.time >= previous) & record.next_is_valid(index);
            previous = record.time;
        }
        valid.then_some(previous)
    }

    fn check(&mut self, record: Record) -> Result<Request, TraceError> {
        let at = Position::Byte(self.index * RECORD as u64);
        if !record.next_is_valid(self.index) {
            let file = self.file.to_string();
            return Err(TraceError::BadNext { file, at, index: self.index, found: record.next });
        }
        let time = self.clock.advance(u64::from(record.time), &self.file, at)?;
        Ok(record.request(self.with_next, time))
    }
}

impl RecordStream for OracleGeneralReader {
    fn fill(&mut self, out: &mut Vec<Request>, limit: usize) -> Result<(), TraceError> {
        let target = out.len() + limit;
        while out.len() < target {
            if let Err(error) = self.bytes.at_least(RECORD) {
                self.decoder.bad.judge(error)?;
            }
            let offset = self.bytes.offset();
            let window = self.bytes.at_least(RECORD)?;
            let (records, rest) = window.as_chunks::<RECORD>();
            if records.is_empty() {
                let found = rest.len();
                self.bytes.consume(found);
                if found > 0 && !self.bytes.damaged() {
                    let file = self.decoder.file.to_string();
                    let expected = RECORD;
                    let cut = TraceError::TruncatedRecord { file, offset, found, expected };
                    self.decoder.bad.judge(cut)?;
                }
                return Ok(());
            }
            let records = &records[..records.len().min(target - out.len())];
            let outcome = self.decoder.decode(records, out);
            let taken = records.len() * RECORD;
            self.bytes.consume(taken);
            outcome?;
        }
        Ok(())
    }

    fn skipped(&self) -> Skipped {
        self.decoder.bad.skipped().clone()
    }

    fn length_hint(&self) -> Option<u64> {
        Some(self.bytes.contents_bytes()? / RECORD as u64)
    }

    fn has_next(&self) -> bool {
        self.decoder.with_next
    }

    fn progress(&self) -> Progress {
        self.bytes.progress()
    }
}
