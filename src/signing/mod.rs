//! Signatures that people make with the SSH keys they have: SSHSIG, `allowed_signers`, key files and agents. Knows
//! nothing of runs; what is signed and what follows from it is other rooms' business.

pub mod allowed;
mod armour;
pub mod certificate;
pub mod envelope;
pub mod signer;

// Where private keys are.
mod agent;
mod when;
pub mod wire;

pub use allowed::AllowedSigners;
pub use envelope::Proof;
pub use signer::Signer;
