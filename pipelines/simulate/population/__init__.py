"""Who lives on a simulated platform: people, groups, campaigns, and the holdings and networks that they use."""
