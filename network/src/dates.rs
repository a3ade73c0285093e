//! A certificate whose time has not come, or is over, as this machine's clock has it. A clock that is wrong, as on a machine
//! without a battery, looks just like that, and TLS cannot tell the two apart: whoever reads the words has to.
use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error};

/// What is wrong with a certificate's dates; nothing if something else is.
pub fn in_words(error: &Error) -> Option<String> {
    let Error::InvalidCertificate(fault) = error else {
        return None;
    };
    let (here, fault) = match fault {
        CertificateError::NotValidYetContext { time, not_before } => {
            (time, format!("is not valid before {}", date(*not_before)))
        }
        CertificateError::ExpiredContext { time, not_after } => (time, format!("expired at {}", date(*not_after))),
        _ => return None,
    };
    Some(format!(
        "its certificate {fault}, and the clock of this machine shows {}. If that is not the time, set the clock",
        date(*here)
    ))
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match DateTime::from_timestamp(seconds, 0) {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => format!("second {seconds} of Unix time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_said_together_with_the_clock_and_other_faults_are_not_ours() {
        let said = |fault: CertificateError| in_words(&Error::InvalidCertificate(fault));
        let (time, not_before) = (at(0), at(1_800_000_000));
        assert_eq!(
            said(CertificateError::NotValidYetContext { time, not_before }).unwrap(),
            "its certificate is not valid before 2027-01-15 08:00:00 UTC, and the clock of this machine shows 1970-01-01 \
             00:00:00 UTC. If that is not the time, set the clock"
        );
        let (time, not_after) = (at(u64::MAX), at(1_800_000_000));
        let expired = said(CertificateError::ExpiredContext { time, not_after }).unwrap();
        assert!(
            expired.starts_with("its certificate expired at 2027-01-15 08:00:00 UTC"),
            "{expired}"
        );
        assert_eq!(said(CertificateError::UnknownIssuer), None);
        assert_eq!(in_words(&Error::DecryptError), None);
    }
}
