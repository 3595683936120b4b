"""What partners are told: the published list's infrastructure as STIX 2.1."""
