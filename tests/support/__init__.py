"""What the black-box tests share. Only the standard library: the suite must run on a bare Python 3.11 with pytest."""
