exec python3 /standin/mailpit.py
