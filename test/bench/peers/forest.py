"""Trains the forest of the benchmark of opening files: 440 trees of 255 leaves over 50 features, 18 MB.

    python forest.py forest.joblib
"""
import sys

import joblib
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

X, y = make_classification(20000, 50, n_informative=20, random_state=0)
joblib.dump(RandomForestClassifier(440, max_leaf_nodes=255, random_state=0).fit(X, y), sys.argv[1])
