//! A listener whose connections can be cut, singly (a lost answer) or all at once (a dead daemon).

use axum::{extract::connect_info::Connected, serve};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// One connection, as request handlers see it.
#[derive(Clone)]
pub(crate) struct Wire {
    cut: CancellationToken,
}

impl Wire {
    /// Ends the connection without another byte.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }
}

pub(crate) struct CutListener {
    inner: TcpListener,
    daemon: CancellationToken,
}

impl CutListener {
    /// Cancelling `daemon` breaks every connection accepted here.
    pub(crate) fn new(inner: TcpListener, daemon: CancellationToken) -> Self {
        Self { inner, daemon }
    }
}

pub(crate) struct CutStream {
    inner: TcpStream,
    wire: Wire,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl CutStream {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.wire.cut.is_cancelled() || self.cancelled.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl serve::Listener for CutListener {
    type Io = CutStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CutStream, SocketAddr) {
        loop {
            match self.inner.accept().await {
                Ok((inner, from)) => {
                    let _ = inner.set_nodelay(true);
                    let cut = self.daemon.child_token();
                    let cancelled = Box::pin(cut.clone().cancelled_owned());
                    let wire = Wire { cut };
                    return (
                        CutStream {
                            inner,
                            wire,
                            cancelled,
                        },
                        from,
                    );
                }
                // Out of file descriptors, mostly; accepting again at once would spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Connected<serve::IncomingStream<'_, CutListener>> for Wire {
    fn connect_info(stream: serve::IncomingStream<'_, CutListener>) -> Self {
        stream.io().wire.clone()
    }
}

impl AsyncRead for CutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
