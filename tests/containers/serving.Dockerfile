# Plays docker.io/tensorflow/serving where that can't be pulled: the stand-in below the official image's entry point.
FROM docker.io/library/python:3.11-slim-bookworm
LABEL inclinet.standin="true"
COPY requirements.lock /opt/standin/
# Of TensorFlow only the library and its messages: the stand-in never imports the Python half.
RUN cd /opt/standin \
    && awk '/^[a-zA-Z]/ { keep = /^(google-crc32c|grpcio|grpcio-health-checking|numpy|protobuf|typing-extensions|tensorflow-serving-api|pydantic|pydantic-core|annotated-types|typing-inspection)==/ } keep' \
         requirements.lock > packages.lock \
    && awk '/^[a-zA-Z]/ { keep = /^tensorflow(-cpu)?==/ } keep' requirements.lock > tensorflow.lock \
    && python -m venv --without-pip . \
    && pip --python bin/python install --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r packages.lock \
    && pip download --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: -d wheel -r tensorflow.lock \
    && python -c "import glob, zipfile; \
wheel = zipfile.ZipFile(glob.glob('wheel/tensorflow*.whl')[0]); \
wanted = ('_pb2.py', '_pb2_grpc.py', '/libtensorflow_cc.so.2', '/libtensorflow_framework.so.2'); \
names = [n for n in wheel.namelist() if n.startswith('tensorflow/') and n.endswith(wanted)]; \
wheel.extractall('lib/python3.11/site-packages', names)" \
    && touch lib/python3.11/site-packages/tensorflow/__init__.py \
    && rm -r wheel
COPY gateway/__init__.py /opt/standin/src/gateway/
COPY gateway/core/ /opt/standin/src/gateway/core/
COPY serving/ /opt/standin/src/serving/
RUN printf '#!/bin/bash\nexport PYTHONPATH=/opt/standin/src\nexec /opt/standin/bin/python -m serving "$@"\n' \
      > /usr/bin/tensorflow_model_server \
    && printf '#!/bin/bash \n\ntensorflow_model_server --port=8500 --rest_api_port=8501 --model_name=${MODEL_NAME} --model_base_path=${MODEL_BASE_PATH}/${MODEL_NAME} "$@"\n' \
      > /usr/bin/tf_serving_entrypoint.sh \
    && chmod +x /usr/bin/tensorflow_model_server /usr/bin/tf_serving_entrypoint.sh \
    && mkdir -p /models
ENV MODEL_BASE_PATH=/models MODEL_NAME=model PYTHONDONTWRITEBYTECODE=1
EXPOSE 8500 8501
ENTRYPOINT ["/usr/bin/tf_serving_entrypoint.sh"]
