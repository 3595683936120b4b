"""Who is listed, by the policy: candidates, rules, exemptions, caps and pace."""
