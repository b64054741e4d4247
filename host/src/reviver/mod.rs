//! Operations, recorded and revived.
