"""End-to-end tests: a real Home Assistant, driven the way its frontend does."""
