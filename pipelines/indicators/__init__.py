"""What is exchanged with partner companies as STIX 2.1: of what was banned, out; of what to look into, in."""
