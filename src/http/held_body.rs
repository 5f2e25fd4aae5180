//! Bodies that keep something for as long as they last: a slot, a place in a table, a session that is not idle.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// The body, which keeps `held` until it has ended or the client has gone.
pub(super) fn hold(body: Body, held: impl Send + Unpin + 'static) -> Body {
    Body::new(HeldBody::new(body, held))
}

/// The same as a type of its own, for where no box is needed.
pub(super) struct HeldBody<T> {
    body: Body,
    held: Option<T>,
}

impl<T> HeldBody<T> {
    /// `body`, which keeps `held` until it has ended or the client has gone.
    pub(super) fn new(body: Body, held: T) -> Self {
        Self { body, held: Some(held) }
    }
}

impl<T: Unpin> http_body::Body for HeldBody<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // Given back with the last frame, before the client can have read it: one that waits for an answer before it
        // sends the next request never holds two.
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.held = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
