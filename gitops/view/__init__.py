"""Values in, words out: text and JSON for people and programs. Never reads, decides or prints."""
