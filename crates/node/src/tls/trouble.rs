//! What goes wrong in a TLS handshake, in words that tell an operator what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// One line on why a connection is over. With TLS, a caller learns only from its end that it was not accepted.
pub(crate) fn what_happened(error: &io::Error) -> String {
    match inner(error) {
        Some(inner) => format!("TLS: {}", tls(inner)),
        // Its text is a link to a manual.
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the other side is gone".to_owned(),
        None => error.to_string(),
    }
}

fn inner(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

/// One line on why there is no TLS with the other side.
pub(super) fn explain(error: &io::Error) -> String {
    if let Some(error) = inner(error) {
        return tls(error);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the other side hung up in the middle of the TLS handshake; is TLS configured there?".to_owned()
        }
        _ => error.to_string(),
    }
}

fn tls(error: &Error) -> String {
    match error {
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "the other side speaks no TLS, and this node speaks nothing else here".to_owned(),
        Error::NoCertificatesPresented => "the other side has shown no certificate".to_owned(),
        // Another authority of the same name is found out by its signatures.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "the other side's certificate is of an authority that is not trusted here".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the other side's certificate has expired".to_owned()
        }
        Error::InvalidCertificate(why) => format!("the other side's certificate is not accepted: {why}"),
        Error::AlertReceived(alert) => format!("the other side gave up: {}", told(*alert)),
        other => other.to_string(),
    }
}

/// What an alert says of us.
fn told(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "it wants a certificate".to_owned(),
        AlertDescription::CertificateExpired => "our certificate has expired".to_owned(),
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it does not trust the authority of our certificate".to_owned()
        }
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            format!("it does not accept our certificate ({alert:?}); its log says why")
        }
        other => format!("{other:?}"),
    }
}
