"""The plain Flask service that people write for a scikit-learn model.

    MODEL_PATH=model.pkl gunicorn --bind 127.0.0.1:5000 --workers 2 --threads 2 flask_app:app
"""
import os
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

model = joblib.load(os.environ.get("MODEL_PATH", "model.pkl"))
app = Flask(__name__)
requests_total = Counter("inference_requests_total", "Inference requests", ["endpoint"])
latency = Histogram("inference_latency_seconds", "Seconds per inference")


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/metrics")
def metrics():
    return generate_latest(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


@app.post("/predict")
def predict():
    requests_total.labels("predict").inc()
    began = time.time()
    rows = np.asarray(request.get_json(force=True)["inputs"], dtype=float)
    answer = model.predict(rows.reshape(1, -1) if rows.ndim == 1 else rows).tolist()
    latency.observe(time.time() - began)
    return jsonify(prediction=answer)
