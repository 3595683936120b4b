"""Rings: communities of predicted links, classified, and matched from night to night."""
