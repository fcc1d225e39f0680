//! The read loop of the programs, over anything that can be read.

use std::io::{self, Read};

use proto::{Decoder, Framing, ReadError};

/// A message, copied out of the decoder's buffer.
#[derive(Debug)]
#[allow(dead_code, reason = "not every test looks at the head")]
pub struct Message<H> {
    pub head: H,
    pub body: Vec<u8>,
}

/// Reads until a whole message is there. `None` is the end of the stream between two messages.
pub fn read_frame<F: Framing>(
    from: &mut impl Read,
    decoder: &mut Decoder<F>,
) -> Result<Option<Message<F::Head>>, ReadError> {
    loop {
        if let Some(frame) = decoder.decode()? {
            return Ok(Some(Message { head: frame.head, body: frame.body.to_vec() }));
        }
        match from.read(decoder.space()) {
            Ok(0) => return Ok(decoder.check_end().map(|()| None)?),
            Ok(n) => decoder.filled(n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
