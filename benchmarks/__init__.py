"""How long Homeport takes, in a real home of the lab. Figures are printed and kept, not judged."""
