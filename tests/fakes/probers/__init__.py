"""The hosted probers, made from what is documented of them; they dial from where they run."""
