"""The parts that workflows and the API are made of. They know no workflow."""
