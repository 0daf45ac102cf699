"""Makes the files of this directory: things that people put around a model.

    pip install scikit-learn joblib
    python make.py
"""
import pickle

import joblib
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

X = np.arange(12.0).reshape(6, 2)
model, scaler = Ridge().fit(X, X.sum(1)), StandardScaler().fit(X)
joblib.dump({"scaler": scaler, "model": model, "features": ["a", "b"], "models": [model, scaler]}, "bundle.joblib")
with open("tuple.pkl", "wb") as f:
    pickle.dump((scaler, model, 0.93), f)
with open("empty.pkl", "wb") as f:
    pickle.dump({}, f)
with open("number.pkl", "wb") as f:
    pickle.dump(42, f)
with open("dots.pkl", "wb") as f:
    pickle.dump({"v1": {"my model": model}, "v1.5": model}, f)
