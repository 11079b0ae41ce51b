//! The system's randomness: the one place that draws it. Everything else takes a generator or a seed as an argument.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// A generator seeded by the system, fit for secrets.
pub fn generator() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}
