"""A prober: a small service outside that knocks at the ports of whoever asks it to."""
