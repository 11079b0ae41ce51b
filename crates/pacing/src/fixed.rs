//! Mode Fixed (`entities.md` 13.2): the rate is the one asked for, adjusted by the SubCampaign's intensity.

use crate::factor;

/// What the pass wants, before any cap.
pub fn rate(contacts_per_minute: f64, intensity: u32) -> f64 {
    contacts_per_minute * factor(intensity)
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn intensity_scales_the_rate() {
        assert_eq!(rate(30.0, 100), 30.0);
        assert_eq!(rate(30.0, 150), 45.0);
        assert_eq!(rate(30.0, 1), 0.3);
    }
}
