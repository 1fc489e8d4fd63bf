# Everything runs in .venv, made from requirements.lock when it is missing or out of date.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
  BIN := .venv/Scripts
else
  BIN := .venv/bin
endif
PY := $(BIN)/python
READY := .venv/.ready
# What is checked or stored depends on nobody's settings.
ALONE := $(PY) -E tests/isolation.py
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout 120

# Notebooks run side by side, and their products are small: one thread for each is faster than all.
test test-classroom test-torch test-browser notebooks faults doctor-score: export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help test test-classroom test-torch test-browser test-site fetch lab workbook notebooks pages site faults lint bench bench-peers bench-grading doctor-score data lock clean assignment grade grade-why wheel test-wheel

help:  ## show this list
	@echo "make <what>, where <what> is one of"
	@sed -n 's/^\([a-z-]*\):.*##/  \1\t/p' Makefile | expand -t 18

test: $(READY)  ## check everything: re-run and compare all notebooks, test the package (ARGS=tests/core: less)
	$(ALONE) tests/notebooks.py check
	$(ALONE) -m pytest $(NBVAL) -m "not slow" -n auto --dist loadfile --no-loadscope-reorder -q $(ARGS)

test-classroom: $(READY)  ## hand out, solve, and grade a class of 60, 20 of them hostile
	@# one process more than there are processors, as these tests wait much: for signals and limits
	$(ALONE) -m pytest -m slow -n $$($(PY) -c "import os; print(os.cpu_count() + 1)") --dist loadgroup -q \
	    $$(grep -rl --include="test_*.py" mark.slow tests) classroom

test-torch: $(READY) .torch/.ready  ## run notebook 05 with PyTorch, which is put into .torch
	PYTHONPATH=.torch $(PY) -c "import torch; print('PyTorch', torch.__version__)"
	PYTHONPATH=.torch $(PY) -m pytest $(NBVAL) -q notebooks/05_three_gradients.ipynb

CHROMIUM := .venv/.chromium
test-browser: $(CHROMIUM)  ## sliders in JupyterLab, pages of grading, in a headless browser, installed if need be
	$(ALONE) -m pytest tests/browser.py tests/grading/pages.py -n auto --dist loadgroup -q -rP

test-site: site $(CHROMIUM)  ## open each page of the site in a headless browser, wide and narrow, light and dark
	$(ALONE) -m pytest tests/website.py -n auto -q

FOLDER = workbook
# Root, as in a container, has to say so; loopback address and token stay.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)
lab: $(READY)  ## open your workbook in JupyterLab (NAME=01_svm.ipynb; FOLDER=notebooks: the worked edition)
	@$(if $(filter workbook,$(FOLDER)),$(PY) -m cs231n_helpers.workbook workbook)
	@$(if $(AS_ROOT),echo "JupyterLab starts with $(AS_ROOT): you are root")
	$(PY) -m jupyterlab $(AS_ROOT) --LabApp.news_url=None $(FOLDER)/$(NAME) $(ARGS)

workbook: $(READY)  ## your own copy of the lessons, exercises open (FRESH=02_softmax: once more, beside yours)
	@$(PY) -m cs231n_helpers.workbook workbook $(if $(FRESH),--fresh $(FRESH))

notebooks: $(READY)  ## run notebooks in fresh kernels and store their outputs (NAME=01_svm.ipynb: that one)
	$(ALONE) tests/notebooks.py run $(addprefix notebooks/,$(NAME))

pages: $(READY)  ## write the notebooks as HTML pages into build/pages
	$(ALONE) tests/notebooks.py html $(addprefix notebooks/,$(NAME))

site: $(READY) .site/.ready  ## write the site into build/site, from the notebooks as they are stored
	rm -rf build/site build/doctrees
	PYTHONPATH=$$(echo .site/lib/python*/site-packages) $(PY) -m sphinx -q -W --keep-going -c docs -d build/doctrees . build/site
	@echo "open build/site/index.html"

assignment: $(READY)  ## write the students' bundle into build/assignment, and as a zip beside it
	$(PY) -m classroom.release

faults: $(READY)  ## put faults into the package, one at a time, and see the notebooks notice each
	$(ALONE) tests/faults.py

WORKFLOWS = .github/workflows/*.yml classroom/release/student_edition/.github/workflows/*.yml
lint: $(READY)  ## look for mistakes with ruff and mypy, hold the imports to their rules
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/zizmor --offline --quiet $(WORKFLOWS)

grade: $(READY)  ## grade a class (SUBMISSIONS=folder; ARGS=--help tells what else)
	$(PY) -m classroom.grading $(if $(SUBMISSIONS),"$(SUBMISSIONS)") $(ARGS)

grade-why: $(READY)  ## why an exercise got its points (STUDENT=anna EXERCISE=svm_dx; ARGS=--all shows all calls)
	$(PY) -m classroom.grading.why "$(SUBMISSIONS)" "$(STUDENT)" "$(EXERCISE)" $(ARGS)

# The first two make OpenBLAS take other kernels than it would choose for the processor; PASSIVE
# keeps the threads of PyTorch and scikit-learn from spinning while others are measured.
BENCH = env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_WAIT_POLICY=PASSIVE $(PY) benchmarks/bench.py $(ARGS)
bench: $(READY)  ## measure the speed, write benchmarks/results.md (ARGS=--help tells what else)
	$(BENCH)

bench-peers: $(READY) .torch/.ready .sklearn/.ready  ## the same, with PyTorch and scikit-learn
	PYTHONPATH=.torch:.sklearn $(BENCH)

bench-grading: $(READY)  ## grade a class, and again with nbgrader, write benchmarks/grading.md
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(PY) benchmarks/grading.py $(ARGS)

doctor-score: $(READY)  ## how often the gradient doctor names a mistake, write benchmarks/doctor.md
	$(ALONE) tests/doctor_score.py $(ARGS)

data: $(READY)  ## download the full Fashion-MNIST and CIFAR-10 into a cache, checked
	$(PY) -m cs231n_helpers.datasets.download

# With these each process that imports jsonschema compiles a grammar, 1.3 s, for a check that nobody asks for.
UNUSED = rfc3987-syntax lark
lock: $(READY)  ## bring requirements.lock up to date with pyproject.toml
	$(PY) -m pip install --quiet uv
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --extra notebooks --extra test --extra lint --no-header \
	    $(addprefix --no-emit-package ,$(UNUSED)) --upgrade pyproject.toml --output-file requirements.lock

wheel: $(READY)  ## build sdist and wheel into dist/, and check them
	$(PY) -m pip install --quiet --disable-pip-version-check "build==1.6.1" "twine==7.0.0"
	rm -rf dist
	$(PY) -m build --outdir dist
	$(PY) -m twine check --strict dist/*

test-wheel: wheel  ## install the wheel into fresh environments, old and new, and run lessons there
	$(PY) tests/wheel.py $(ARGS)

clean:  ## remove .venv, pages and caches, but no grades and no assignment that was handed out
	rm -rf .venv .torch .sklearn .site build/site build/doctrees build/pages build/lib build/bdist.* build/home dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

fetch: .torch/.ready .site/.ready $(CHROMIUM)  ## install what else tests need: PyTorch, Sphinx, a browser

# Some systems ship Python without ensurepip; there the outer pip fills the environment.
$(READY): requirements.lock pyproject.toml
	@case "$$($(PYTHON) -E -c 'import sys; print(sys.version_info < (3, 11))' 2>/dev/null)" in \
	    False*) ;; \
	    True*) echo "$(PYTHON) is older than Python 3.11, which this project needs: name another," \
	        "as in make PYTHON=python3.11"; exit 1;; \
	    *) echo "$(PYTHON) is not there, or does not run: name another Python, 3.11 or newer, as" \
	        "in make PYTHON=python3.11"; exit 1;; \
	esac
	$(PYTHON) -m venv --clear .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv \
	    && $(PYTHON) -m pip --python .venv install --quiet pip; }
	@# the lock names all but UNUSED, which pip would add; all processors compile what can be compiled
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements.lock
	$(PY) -m compileall -qq -j 0 .venv || true
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(PY) -m pip check
	@rm -f .venv/etc/jupyter/jupyter_server_config.d/nbgrader.json
	@for it in @jupyter/nbgrader @jupyterlab/apputils-extension:announcements; do \
	    $(PY) -m jupyterlab.labextensions disable --level=sys_prefix $$it 2>/dev/null; done
	@touch $(READY)

$(CHROMIUM): $(READY) Makefile tests/chromium.py
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    "playwright==1.65.2" "axe-playwright-python==0.1.8"
	$(PY) tests/chromium.py
	@touch $(CHROMIUM)

.torch/.ready: $(READY)
	rm -rf .torch
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --target .torch \
	    -c requirements.lock "torch==2.13.0"
	@touch .torch/.ready

.sklearn/.ready: $(READY)
	rm -rf .sklearn
	$(PY) -m pip install --quiet --disable-pip-version-check --target .sklearn --no-deps \
	    "scikit-learn==1.9.1" joblib narwhals
	@touch .sklearn/.ready

.site/.ready: $(READY)
	rm -rf .site
	@$(PY) -c "import tomllib; from pathlib import Path; \
	    extras = tomllib.loads(Path('pyproject.toml').read_text('utf-8'))['project']['optional-dependencies']; \
	    Path('.venv/site.txt').write_text('\n'.join(extras['site']), 'utf-8')"
	$(PY) -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
	    --prefix .site -c requirements.lock -r .venv/site.txt
	@touch .site/.ready
