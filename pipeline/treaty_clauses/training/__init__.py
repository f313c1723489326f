"""All that needs torch or datasets to learn: pretraining the encoder, training the tagger."""
