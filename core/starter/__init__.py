"""The starter: recipe and parts of the small bilingual practice model."""
