//! Users as text: the rules that make them, as ACL LIST and ACL files have them.

use super::password::hex;
use super::selector::{Access, Selector};
use super::user::User;

impl User {
    /// The words that ACL GETUSER has as flags.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.is_on { "on" } else { "off" }];
        if self.is_nopass {
            flags.push("nopass");
        }
        match self.sanitizes {
            Some(true) => flags.push("sanitize-payload"),
            Some(false) => flags.push("skip-sanitize-payload"),
            None => {}
        }
        flags
    }

    /// The hashes of its passwords.
    pub fn hashes(&self) -> Vec<String> {
        self.passwords.iter().map(|digest| hex(digest)).collect()
    }

    /// The rules that make it, `user` and its name before them.
    pub fn describe(&self) -> Vec<u8> {
        let mut text = [b"user ", &self.name[..]].concat();
        let mut add = |word: &[u8]| {
            text.push(b' ');
            text.extend_from_slice(word);
        };
        for flag in self.flags() {
            add(flag.as_bytes());
        }
        for hash in self.hashes() {
            add(format!("#{hash}").as_bytes());
        }
        add(&self.root.describe());
        if let Some(quota) = self.quota {
            add(format!("quota:{quota}").as_bytes());
        }
        for selector in &self.selectors {
            add(&[b"(", &selector.describe()[..], b")"].concat());
        }
        text
    }
}

impl Selector {
    /// The rules that make it.
    fn describe(&self) -> Vec<u8> {
        let mut words = Vec::new();
        let keys = self.describe_keys();
        if !keys.is_empty() {
            words.push(keys);
        }
        if !self.all_channels {
            words.push(b"resetchannels".to_vec());
        }
        let channels = self.describe_channels();
        if !channels.is_empty() {
            words.push(channels);
        }
        words.push(self.describe_commands().into_bytes());
        words.join(&b' ')
    }

    /// The rules for commands.
    pub fn describe_commands(&self) -> String {
        let base = if self.allows_unnamed { "+@all" } else { "-@all" };
        std::iter::once(base)
            .chain(self.rules.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The rules for keys.
    pub fn describe_keys(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let word = |marker: &[u8], text: &[u8]| [marker, text].concat();
        let patterns = self.keys.iter().map(|pattern| match pattern.access {
            Access::READ => word(b"%R~", &pattern.text),
            Access::WRITE => word(b"%W~", &pattern.text),
            _ => word(b"~", &pattern.text),
        });
        patterns.collect::<Vec<_>>().join(&b' ')
    }

    /// The rules for channels.
    pub fn describe_channels(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let patterns = self.channels.iter().map(|text| [b"&", &text[..]].concat());
        patterns.collect::<Vec<_>>().join(&b' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_made_again_by_its_rules() {
        let rules = "on sanitize-payload >x ~a* %R~b* &ch* +@all -@admin +acl|whoami (+get ~z*)";
        let rules = super::super::user::join_selectors(rules.split(' ').map(str::as_bytes))
            .expect("the parenthesis is closed");
        let user =
            User::new(b"bob").with(rules.iter().map(Vec::as_slice)).expect("these are rules");
        let text = String::from_utf8(user.describe()).expect("the rules are text");
        let hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        let expected = format!(
            "user bob on sanitize-payload #{hash} ~a* %R~b* resetchannels &ch* \
             +@all -@admin +acl|whoami (~z* resetchannels -@all +get)"
        );
        assert_eq!(expected, text);
        let again = super::super::user::join_selectors(text.split(' ').skip(2).map(str::as_bytes))
            .expect("the parenthesis is closed");
        assert_eq!(Ok(user), User::new(b"bob").with(again.iter().map(Vec::as_slice)));
    }

    #[test]
    fn a_rule_replaces_those_it_makes_void() {
        for (rules, expected) in [
            ("+@string +get +@string -@string +get", "-@all -@string +get"),
            ("+@all +acl -acl|list +acl", "+@all +acl"),
            ("-@all +acl|list +acl", "-@all +acl"),
            ("+get nocommands", "-@all"),
        ] {
            let user = User::new(b"u").with(rules.split(' ').map(str::as_bytes));
            assert_eq!(expected, user.expect("these are rules").root.describe_commands());
        }
    }
}
