//! The commands that have come at once: taken apart before the lock of the databases is taken.

use std::ops::Range;

use super::parser::{Arguments, Limits, Parser, ProtocolError};

/// Commands of one batch: enough to share a lock and to fetch memory ahead, few enough that others
/// get their turn.
const COMMANDS_MAX: usize = 64;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Batch {
    parser: Parser,
    ranges: Vec<Range<usize>>,
    /// Of each command: where its ranges end, and where its bytes end in the input.
    ends: Vec<(usize, usize)>,
    /// Resolved text of an inline command, which is a batch by itself.
    inline: Option<Vec<u8>>,
    error: Option<ProtocolError>,
}

impl Batch {
    /// Takes the input apart, from where the last whole command ended.
    #[inline]
    pub fn fill(&mut self, input: &[u8], limits: Limits) {
        self.ranges.clear();
        self.ends.clear();
        self.inline = None;
        while self.ends.len() < COMMANDS_MAX && self.error.is_none() {
            match self.parser.next(input, limits) {
                Ok(false) => break,
                Ok(true) if self.parser.is_inline() => {
                    // Its text is elsewhere than that of the others: those go first.
                    if !self.ends.is_empty() {
                        self.parser.back();
                        break;
                    }
                    self.inline = Some(self.parser.take_inline());
                    self.ranges.extend_from_slice(self.parser.ranges());
                    self.ends.push((self.ranges.len(), self.parser.position()));
                    break;
                }
                Ok(true) => {
                    self.ranges.extend_from_slice(self.parser.ranges());
                    self.ends.push((self.ranges.len(), self.parser.position()));
                }
                Err(error) => self.error = Some(error),
            }
        }
    }

    /// Number of commands.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The command at a position below [`Batch::len`]; `input` as it was for [`Batch::fill`].
    #[inline]
    pub fn command<'a>(&'a self, at: usize, input: &'a [u8]) -> Arguments<'a> {
        let from = if at == 0 { 0 } else { self.ends[at - 1].0 };
        let ranges = &self.ranges[from..self.ends[at].0];
        Arguments::new(self.inline.as_deref().unwrap_or(input), ranges)
    }

    /// What ended the input for good, once the commands before it are done.
    pub fn error(&self) -> Option<ProtocolError> {
        self.error
    }

    /// The first `done` commands have run: how many bytes of the input the caller is to drop. What
    /// has not run is read again.
    pub fn settle(&mut self, done: usize) -> usize {
        if done == self.ends.len() {
            self.parser.settle()
        } else {
            let end = if done == 0 { 0 } else { self.ends[done - 1].1 };
            self.parser = Parser::default();
            self.error = None;
            end
        }
    }

    /// As [`Batch::settle`] after all commands have run, and what follows them is read again: other
    /// limits hold now.
    pub fn settle_anew(&mut self) -> usize {
        let end = self.ends.last().map_or(0, |&(_, end)| end);
        self.parser = Parser::default();
        self.error = None;
        end
    }

    /// How many bytes the input will have when the argument that is coming is complete, if one is.
    pub fn wants(&self) -> Option<usize> {
        self.parser.wants()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Limits = Limits { arguments: 1 << 20, bulk: 512 << 20 };

    type Commands = Vec<Vec<Vec<u8>>>;

    /// All commands, the input coming in pieces of a length, and `most` of each batch run at once.
    fn parse(input: &[u8], piece: usize, most: usize) -> Result<Commands, ProtocolError> {
        let (mut batch, mut buffer, mut commands) = (Batch::default(), Vec::new(), Vec::new());
        for piece in input.chunks(piece) {
            buffer.extend_from_slice(piece);
            loop {
                batch.fill(&buffer, ANY);
                let done = batch.len().min(most);
                for at in 0..done {
                    let command = batch.command(at, &buffer);
                    commands.push(command.iter().map(<[u8]>::to_vec).collect());
                }
                let error = batch.error().filter(|_| done == batch.len());
                let is_empty = batch.is_empty();
                buffer.drain(..batch.settle(done));
                if let Some(error) = error {
                    return Err(error);
                }
                if is_empty {
                    break;
                }
            }
        }
        Ok(commands)
    }

    #[test]
    fn commands_come_whole_however_they_are_cut() {
        let input = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\r\nPING \"a\\x41\\n\" 'b c'\r\n*0\r\n*-1\r\n\
            *3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n*2\r\nPING\r\n";
        let expected: Commands = vec![
            vec![b"GET".to_vec(), b"k".to_vec()],
            vec![b"PING".to_vec(), b"aA\n".to_vec(), b"b c".to_vec()],
            vec![b"SET".to_vec(), vec![], b"\r\n*2".to_vec()],
            vec![b"PING".to_vec()],
        ];
        for piece in 1..=input.len() {
            for most in 1..4 {
                assert_eq!(Ok(expected.clone()), parse(input, piece, most), "{piece}, {most}");
            }
        }
    }

    #[test]
    fn what_comes_before_an_error_still_counts() {
        let mut batch = Batch::default();
        batch.fill(b"*1\r\n$4\r\nPING\r\n*1\r\n#", ANY);
        assert_eq!((1, Some(ProtocolError::Marker(b'#'))), (batch.len(), batch.error()));
    }

    #[test]
    fn limits_that_no_longer_hold_are_forgotten() {
        let input = b"*1\r\n$4\r\nAUTH\r\n*1\r\n$20000\r\n";
        let mut batch = Batch::default();
        batch.fill(input, Limits::STRANGER);
        assert_eq!((1, Some(ProtocolError::StrangersLength)), (batch.len(), batch.error()));
        let rest = &input[batch.settle_anew()..];
        batch.fill(rest, ANY);
        assert_eq!((0, None, Some(20_000 + 14)), (batch.len(), batch.error(), batch.wants()));
    }

    #[test]
    fn what_is_no_protocol_is_refused() {
        for (input, error) in [
            (&b"*a\r\n"[..], ProtocolError::Count),
            (b"*3000000000\r\n", ProtocolError::Count),
            (b"*1\r\n#", ProtocolError::Marker(b'#')),
            (b"*1\r\n$-1\r\n", ProtocolError::Length),
            (b"*1\r\n$99999999999\r\n", ProtocolError::Length),
            (b"GET \"a\r\n", ProtocolError::Quotes),
            (b"GET \"a\"b\r\n", ProtocolError::Quotes),
            (&[b'x'; (64 << 10) + 9], ProtocolError::Inline),
        ] {
            assert_eq!(Err(error), parse(input, input.len(), 9));
        }
        let mut batch = Batch::default();
        batch.fill(b"*11\r\n", Limits::STRANGER);
        assert_eq!(Some(ProtocolError::StrangersCount), batch.error());
    }
}
