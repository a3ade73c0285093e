//! Randomness and the ids made from it.
use protocol::ids::{AgentId, ObjectId, SessionId};

/// The platform gave no randomness, or what was made of it is no id.
#[derive(Debug, thiserror::Error)]
#[error("no randomness: {0}")]
pub struct NoRandomness(String);

impl NoRandomness {
    fn because(cause: impl ToString) -> Self {
        Self(cause.to_string())
    }
}

/// Bytes nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness::because)?;
    Ok(bytes)
}

/// `N` random bytes in hex.
pub fn hex<const N: usize>() -> Result<String, NoRandomness> {
    Ok(hex::encode(bytes::<N>()?))
}

/// A new row's id: the first 96 bits of a UUIDv7.
pub fn object_id() -> Result<ObjectId, NoRandomness> {
    let millis = chrono::Utc::now().timestamp_millis().unsigned_abs();
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &bytes()?).into_uuid();
    let text: String = uuid
        .simple()
        .to_string()
        .chars()
        .take(protocol::limits::OBJECT_ID_LEN)
        .collect();
    text.try_into().map_err(NoRandomness::because)
}

/// A new machine's public name.
pub fn agent_id() -> Result<AgentId, NoRandomness> {
    hex::<6>()?.try_into().map_err(NoRandomness::because)
}

/// The name of a session whose client did not choose one.
pub fn session_id() -> Result<SessionId, NoRandomness> {
    format!("sess_{}", hex::<12>()?)
        .try_into()
        .map_err(NoRandomness::because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_well_formed_and_differ() {
        assert_ne!(object_id().unwrap(), object_id().unwrap());
        assert_ne!(agent_id().unwrap(), agent_id().unwrap());
        assert_ne!(session_id().unwrap(), session_id().unwrap());
        assert_eq!(session_id().unwrap().as_str().len(), 29);
    }

    #[test]
    fn object_ids_sort_by_the_millisecond_they_were_made_in() {
        let earlier = object_id().unwrap();
        let now = chrono::Utc::now().timestamp_millis();
        while chrono::Utc::now().timestamp_millis() == now {}
        assert!(earlier < object_id().unwrap());
    }
}
