//! Options that several requests share, set one by one.

use std::time::Duration;

/// Milliseconds on the wire.
pub(crate) fn milliseconds(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)
}

/// Setters of a request's options: the name, what it takes, and its field.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $kind:tt),+ $(,)?) => {
        $(setters!(@ $(#[$doc])* $name $kind);)+
    };
    (@ $(#[$doc:meta])* $name:ident quorum) => {
        $(#[$doc])*
        pub fn $name(mut self, quorum: impl Into<$crate::Quorum>) -> Self {
            self.message.$name = Some(quorum.into().code());
            self
        }
    };
    (@ $(#[$doc:meta])* $name:ident switch) => {
        $(#[$doc])*
        pub fn $name(mut self, on: bool) -> Self {
            self.message.$name = Some(on);
            self
        }
    };
    (@ $(#[$doc:meta])* $name:ident count) => {
        $(#[$doc])*
        pub fn $name(mut self, count: u8) -> Self {
            self.message.$name = Some(count.into());
            self
        }
    };
    (@ $(#[$doc:meta])* $name:ident timeout) => {
        $(#[$doc])*
        pub fn $name(mut self, timeout: std::time::Duration) -> Self {
            self.message.$name = Some($crate::options::milliseconds(timeout));
            self.timeout = Some(timeout);
            self
        }
    };
}

/// Makes a request something that can be awaited.
macro_rules! awaited {
    ($request:ty => $output:ty) => {
        impl std::future::IntoFuture for $request {
            type Output = Result<$output, $crate::Error>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }
    };
}

pub(crate) use {awaited, setters};
