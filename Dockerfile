# docker build --tag descent-lab . && docker run --read-only --tmpfs /tmp --publish 8501:8501 descent-lab
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DESCENT_LAB_CACHE=/app/.cache
WORKDIR /app

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock

RUN useradd --uid 1000 --create-home lab && chown lab /app
USER lab
COPY --chown=lab . .
# For this machine's kind of processor: on another one the kernels are compiled anew, into /tmp.
RUN python -m ui.server.warmup

EXPOSE 8501
HEALTHCHECK --start-period=120s --interval=10s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8501/_stcore/health')"]
CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8501", "--ws", "websockets-sansio", \
    "--ws-max-size", "1000000", "--ws-per-message-deflate", "false", "--no-access-log"]
