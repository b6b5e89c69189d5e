//! A connection's way to its peer: plain, or through TLS.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;

use mio::event::Source;
use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

/// See the module's head.
pub(super) enum Transport {
    /// Bytes as they are.
    Plain(TcpStream),
    /// Bytes through TLS, the handshake among them.
    Tls(Box<Tls>),
}

/// A stream with its TLS session.
pub(super) struct Tls {
    stream: TcpStream,
    session: ServerConnection,
}

impl Transport {
    /// A stream whose peer is to begin a handshake.
    pub(super) fn tls(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Transport> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Transport::Tls(Box::new(Tls { stream, session })))
    }

    /// What the event loop watches.
    pub(super) fn source(&mut self) -> &mut impl Source {
        match self {
            Transport::Plain(stream) => stream,
            Transport::Tls(tls) => &mut tls.stream,
        }
    }

    /// Whether a read that does not fill its buffer has emptied the socket.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Transport::Plain(_))
    }

    /// Whether the peer has still to prove what the handshake asks for.
    pub(super) fn is_handshaking(&self) -> bool {
        matches!(self, Transport::Tls(tls) if tls.session.is_handshaking())
    }

    /// Reads what has come; 0 where the peer has ended.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(stream) => stream.read(into),
            Transport::Tls(tls) => tls.read(into),
        }
    }

    /// Takes bytes to be written; how many.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(stream) => stream.write(bytes),
            Transport::Tls(tls) => tls.write(bytes),
        }
    }

    /// Whether bytes that were taken are not yet with the socket.
    pub(super) fn holds_back(&self) -> bool {
        matches!(self, Transport::Tls(tls) if tls.session.wants_write())
    }

    /// Gives the socket what was taken, as far as it takes it.
    pub(super) fn push(&mut self) -> io::Result<()> {
        match self {
            Transport::Plain(_) => Ok(()),
            Transport::Tls(tls) => tls.push(),
        }
    }
}

impl Tls {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The peer has gone without saying so: that nothing was cut is the protocol's care.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            if self.session.read_tls(&mut self.stream)? == 0 {
                return Ok(0);
            }
            if let Err(error) = self.session.process_new_packets() {
                // What is wrong is told to the peer where it can be; the connection ends either way.
                let _ = self.push();
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
            // The handshake's answers.
            self.push()?;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        match self.session.writer().write(bytes)? {
            0 if !bytes.is_empty() => Err(ErrorKind::WouldBlock.into()),
            count => self.push().map(|()| count),
        }
    }

    fn push(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                other => {
                    other?;
                }
            }
        }
        Ok(())
    }
}
