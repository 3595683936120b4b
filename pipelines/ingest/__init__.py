"""From the landing zone to accepted rows: find deliveries, read them, cast them, check them."""
