//! How each conduit of the lab is cut by real rules on the firewall that enforces it, and how it is re-opened.

/// The rules of one conduit's cut, made on the firewall that enforces it, beside its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// As the inventory names it.
    pub conduit: &'static str,
    /// The firewall.
    pub host: &'static str,
    /// Which forwarded packets are dropped, of new connections and of those that stand.
    rules: &'static [&'static str],
}

/// Every conduit of the shipped inventory that can be cut.
pub const CUTS: &[Cut] = &[
    Cut {
        conduit: "isp-uplink",
        host: "edge-fw",
        rules: &[r#"iifname "eth0" counter drop"#, r#"oifname "eth0" counter drop"#],
    },
    // Remote workers share the line, and are another conduit: they are told by where their connection was going first.
    Cut {
        conduit: "isp2-uplink",
        host: "edge2-fw",
        rules: &[
            "meta l4proto tcp ct original proto-dst != 2222 counter drop",
            "meta l4proto != tcp counter drop",
        ],
    },
    Cut {
        conduit: "remote-access",
        host: "edge2-fw",
        rules: &["meta l4proto tcp ct original proto-dst 2222 counter drop"],
    },
    Cut {
        conduit: "vendor-vpn",
        host: "vpn-gw",
        rules: &["ip saddr 10.20.0.0/24 counter drop", "ip daddr 10.20.0.0/24 counter drop"],
    },
    Cut {
        conduit: "vendor-support",
        host: "vpn-gw",
        rules: &["ip saddr 10.30.0.0/24 counter drop", "ip daddr 10.30.0.0/24 counter drop"],
    },
    Cut {
        conduit: "office-core",
        host: "core-fw",
        rules: &[
            r#"iifname "eth1" ip daddr 10.20.0.0/24 counter drop"#,
            r#"oifname "eth1" ip saddr 10.20.0.0/24 counter drop"#,
        ],
    },
    // What comes the other way through the same legs of the firewall is remote access.
    Cut {
        conduit: "office-dmz",
        host: "core-fw",
        rules: &[
            r#"iifname "eth1" oifname "eth0" ct direction original counter drop"#,
            r#"iifname "eth0" oifname "eth1" ct direction reply counter drop"#,
        ],
    },
    Cut {
        conduit: "dmz-core",
        host: "core-fw",
        rules: &[
            r#"iifname "eth0" oifname "eth2" counter drop"#,
            r#"iifname "eth2" oifname "eth0" counter drop"#,
        ],
    },
    Cut {
        conduit: "mgmt-dmz",
        host: "core-fw",
        rules: &[
            r#"iifname "eth3" oifname "eth0" counter drop"#,
            r#"iifname "eth0" oifname "eth3" counter drop"#,
        ],
    },
    Cut {
        conduit: "mgmt-core",
        host: "core-fw",
        rules: &[
            r#"iifname "eth3" oifname "eth2" counter drop"#,
            r#"iifname "eth2" oifname "eth3" counter drop"#,
        ],
    },
    Cut {
        conduit: "mgmt-office",
        host: "core-fw",
        rules: &[
            r#"iifname "eth3" oifname "eth1" counter drop"#,
            r#"iifname "eth1" oifname "eth3" counter drop"#,
        ],
    },
];

impl Cut {
    /// The cut of this conduit.
    pub fn of(conduit: &str) -> &'static Self {
        let found = CUTS.iter().find(|cut| cut.conduit == conduit);
        found.unwrap_or_else(|| panic!("nobody knows how to cut `{conduit}`"))
    }

    /// The table that holds it.
    pub fn table(&self) -> String {
        format!("cut_{}", self.conduit.replace('-', "_"))
    }

    /// A script that makes the cut, once and whole.
    pub fn make(&self) -> String {
        let table = self.table();
        let rules: String = self.rules.iter().map(|rule| format!("    {rule}\n")).collect();
        format!(
            "nft -f - <<'NFT'\ntable inet {table}\ndelete table inet {table}\ntable inet {table} {{\n  \
             chain forward {{\n    type filter hook forward priority filter - 10;\n{rules}  }}\n}}\nNFT\n"
        )
    }

    /// A script that takes it back.
    pub fn unmake(&self) -> String {
        format!("nft delete table inet {}\n", self.table())
    }
}
