"""Why an account was scored as it was, in sentences, and the evidence behind a listing."""
