//! How much may wait for a client to read: Redis's `client-output-buffer-limit`.

use std::time::Duration;

use super::bytes;

/// Bytes that may wait for a client to read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimit {
    /// Beyond so many the connection is closed at once; 0: no limit.
    pub hard: usize,
    /// Beyond so many it is closed after a time; 0: no limit.
    pub soft: usize,
    /// That time.
    pub soft_time: Duration,
}

/// The limits of the classes of clients. There are no replicas: theirs is kept to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// For answers.
    pub normal: OutputLimit,
    /// Of replicas, which there are none of.
    pub replica: OutputLimit,
    /// For what others have sent: publish and subscribe, invalidation.
    pub pubsub: OutputLimit,
}

impl Default for OutputLimits {
    fn default() -> OutputLimits {
        let limit = |hard: usize, soft: usize| OutputLimit {
            hard: hard << 20,
            soft: soft << 20,
            soft_time: Duration::from_secs(60),
        };
        OutputLimits { normal: limit(256, 64), replica: limit(256, 64), pubsub: limit(32, 8) }
    }
}

impl OutputLimits {
    /// As text: class, hard limit, soft limit and seconds, for each class.
    pub fn show(&self) -> String {
        let classes = [("normal", self.normal), ("slave", self.replica), ("pubsub", self.pubsub)];
        let shown = classes.map(|(name, limit)| {
            format!("{name} {} {} {}", limit.hard, limit.soft, limit.soft_time.as_secs())
        });
        shown.join(" ")
    }

    /// Takes over the classes that a text names.
    ///
    /// # Errors
    /// It is not as [`OutputLimits::show`] writes it.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        let mut read = *self;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.is_empty() || !words.len().is_multiple_of(4) {
            return Err(format!(
                "{text:?} is not class, hard limit, soft limit, seconds for each class: \
                 as normal 256mb 64mb 60"
            ));
        }
        for group in words.chunks_exact(4) {
            let size = |text: &str| bytes(text).map(|it| usize::try_from(it).unwrap_or(usize::MAX));
            let seconds =
                group[3].parse().map_err(|_| format!("{:?} is no number of seconds", group[3]))?;
            let limit = OutputLimit {
                hard: size(group[1])?,
                soft: size(group[2])?,
                soft_time: Duration::from_secs(seconds),
            };
            match group[0].to_ascii_lowercase().as_str() {
                "normal" => read.normal = limit,
                "slave" | "replica" => read.replica = limit,
                "pubsub" => read.pubsub = limit,
                other => return Err(format!("{other:?} is none of normal, replica, pubsub")),
            }
        }
        *self = read;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_back_and_name_what_is_wrong() {
        let mut limits = OutputLimits::default();
        assert_eq!(Ok(()), limits.read("normal 1mb 10 5 pubsub 0 0 0"));
        assert_eq!((1 << 20, 10), (limits.normal.hard, limits.normal.soft));
        let mut again = OutputLimits::default();
        assert_eq!((Ok(()), limits), (again.read(&limits.show()), again));
        for (text, word) in [("", "class"), ("normal 1 2", "class"), ("x 1 2 3", "x")] {
            assert!(again.read(text).is_err_and(|error| error.contains(word)), "{text}");
        }
        assert_eq!(limits, again);
    }
}
