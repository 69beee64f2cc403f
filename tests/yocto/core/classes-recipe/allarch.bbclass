# openembedded-core sets the architecture here.
