//! A task for each connection, on tokio's runtime for one thread, with tokio-util's codec.

use std::io;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::answer;

pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (conn, _) = listener.accept().await?;
            tokio::spawn(client(conn));
        }
    })
}

async fn client(mut conn: TcpStream) -> io::Result<()> {
    let (from, mut to) = conn.split();
    let codec = LengthDelimitedCodec::builder().little_endian().new_codec();
    // Its usual buffer, 8 KiB, would be most of what an idle connection takes.
    let mut requests = FramedRead::with_capacity(from, codec, 1024);
    while let Some(body) = requests.next().await {
        to.write_all(&answer(&body?)).await?;
    }
    Ok(())
}
